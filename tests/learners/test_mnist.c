// Softmax regression on the pixels of handwritten digits (MNIST; LeCun, Bottou, Bengio and Haffner, 1998, report 12.0 % errors
// for a linear classifier, 8.4 % when the digits are deslanted): each of the 60,000 training images seen once, in the order of
// the file; then the 10,000 test images.
#include "tests/learners/learner_fixture.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum { PIXELS = 28 * 28, CLASSES = 10, TRAINING = 60000, TEST = 10000, CHUNK = 500 };

static bool find(const char *name, char *path, size_t size) {
    const char *folder = getenv("RIFFLE_DATA");
    snprintf(path, size, "%s/mnist/%s", folder ? folder : "", name);
    return folder && folder[0] && access(path, R_OK) == 0;
}

// The bytes behind the header of an idx file.
static gzFile open_idx(const char *name, size_t header_size) {
    char path[1024];
    unsigned char header[16];
    assert_true(find(name, path, sizeof path));
    gzFile file = gzopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(gzread(file, header, (unsigned)header_size), header_size);
    return file;
}

static void read_chunk(gzFile images, gzFile labels, struct rf_examples *examples) {
    static unsigned char pixels[CHUNK * PIXELS], digits[CHUNK];
    assert_int_equal(gzread(images, pixels, sizeof pixels), sizeof pixels);
    assert_int_equal(gzread(labels, digits, sizeof digits), sizeof digits);
    rf_examples_reset(examples, 0);
    for (size_t n = 0; n < CHUNK; n++) {
        append_example(examples, digits[n], NULL, 0);
        for (size_t i = 0; i < PIXELS; i++) {
            examples->vector[n * PIXELS + i] = (float)pixels[n * PIXELS + i] / 255;
        }
    }
}

struct run {
    struct rf_learner *learner;
    struct rf_examples examples;
    struct rf_predictions predictions;
};

// Learns, or only predicts, a whole pair of files; returns the share of digits that were found out.
static double fold_files(struct run *run, const char *images_name, const char *labels_name, size_t count, bool learns) {
    gzFile images = open_idx(images_name, 16), labels = open_idx(labels_name, 8);
    size_t right = 0;
    for (size_t done = 0; done < count; done += CHUNK) {
        read_chunk(images, labels, &run->examples);
        for (size_t n = 0; n < CHUNK && !learns; n++) {
            run->examples.purpose[n] = RF_PREDICT;
        }
        rf_learner_fold(run->learner, &run->examples, 0, CHUNK, &run->predictions);
        for (size_t n = 0; n < CHUNK; n++) {
            right += rf_prediction_class(&run->predictions, n) == (int32_t)run->examples.label[n];
        }
    }
    gzclose(images);
    gzclose(labels);
    return (double)right / (double)count;
}

static void learn_digits(const char *const *options) {
    char path[1024];
    if (!find("train-images-idx3-ubyte.gz", path, sizeof path)) {
        print_message("skipped: %s is not there\n", path);
        skip();
    }
    struct rf_variant_value value = variant_of(rf_learner_variants, "dense");
    set_option(&value, "loss", "softmax");
    set_option(&value, "classes", "10");
    for (size_t i = 0; options[i]; i += 2) {
        set_option(&value, options[i], options[i + 1]);
    }
    struct run run;
    struct rf_error err;
    assert_int_equal(rf_learner_create(&value, &(struct rf_learner_context){.vector_size = PIXELS}, &run.learner, &err), RF_OK);
    assert_int_equal(rf_examples_init(&run.examples, CHUNK, 1, 1, &err), RF_OK);
    assert_int_equal(rf_examples_reserve_vectors(&run.examples, PIXELS, &err), RF_OK);
    predictions_create(&run.predictions, run.learner, &run.examples);
    double progressive = fold_files(&run, "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", TRAINING, true);
    double tested = fold_files(&run, "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz", TEST, false);
    print_message("accuracy: progressive %.4f, on the test images %.4f\n", progressive, tested);
    assert_true(tested >= 0.91);
    assert_int_equal(run.learner->skipped_steps, 0);
    predictions_finish(&run.predictions);
    rf_examples_finish(&run.examples);
    rf_learner_destroy(run.learner);
    variant_finish(&value);
}

static void digits_are_learned_record_by_record(void **state) {
    (void)state;
    learn_digits((const char *const[]){"rate", "0.05", "rate_decay", "inverse_scaling", "rate_start", "1000", NULL});
}

static void digits_are_learned_by_mini_batches_of_32(void **state) {
    (void)state;
    learn_digits(
            (const char *const[]){"rate", "0.5", "rate_decay", "inverse_scaling", "rate_start", "100", "batch.size", "32", NULL});
}

static void digits_are_learned_by_growing_mini_batches_with_momentum(void **state) {
    (void)state;
    learn_digits((const char *const[]){"rate", "0.05", "momentum", "0.9", "batch.size", "16", "batch.growth", "2", "batch.every",
                                       "15000", "batch.max", "128", NULL});
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(digits_are_learned_record_by_record),
            cmocka_unit_test(digits_are_learned_by_mini_batches_of_32),
            cmocka_unit_test(digits_are_learned_by_growing_mini_batches_with_momentum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
