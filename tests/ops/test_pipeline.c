// The fold, driven by hand: no threads, no Kafka, no clock.
#include "ops/pipeline.h"
#include "ops/settings.h"
#include "tests/ops/memory_source.h"
#include "tests/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char settings_text[] = "name: test\n"
                                    "source: {file: x}\n"
                                    "features: {id: id, label: y, numbers: [a]}\n"
                                    "learner: {type: linear, hash_bits: 8}\n";

struct fixture {
    struct rf_settings settings;
    struct rf_decoder_options decoder_options;
    struct rf_pipeline *pipeline;
    struct rf_decoder *decoder;
    struct rf_batch *batch;
    struct rf_error err;
};

static void open_fixture_with(struct fixture *fixture, double holdout_from, double holdout_to) {
    *fixture = (struct fixture){0};
    assert_int_equal(rf_settings_read("test.yaml", rf_text_of(settings_text), NULL, 0, &fixture->settings, &fixture->err), RF_OK);
    fixture->decoder_options = (struct rf_decoder_options){.limits = fixture->settings.source.limits};
    const struct rf_pipeline_options options = {
            .name = fixture->settings.name,
            .seed = 1,
            .features = &fixture->settings.features,
            .format = rf_decoder_find("json"),
            .decoder = &fixture->decoder_options,
            .learner = &fixture->settings.learner,
            .batch_records = 16,
            .batch_bytes = 4096,
            .holdout_from = holdout_from,
            .holdout_to = holdout_to,
    };
    assert_int_equal(rf_pipeline_create(&options, &fixture->pipeline, &fixture->err), RF_OK);
    assert_int_equal(rf_pipeline_decoder(fixture->pipeline, &fixture->decoder, &fixture->err), RF_OK);
    assert_int_equal(rf_pipeline_batch(fixture->pipeline, &fixture->batch, &fixture->err), RF_OK);
    size_t index;
    for (int32_t i = 0; i < 2; i++) {
        assert_int_equal(rf_positions_add(rf_pipeline_positions(fixture->pipeline), "topic", i, &index), RF_OK);
    }
}

static void open_fixture(struct fixture *fixture) {
    open_fixture_with(fixture, 0, 0);
}

static int setup(void **state) {
    struct fixture *fixture = malloc(sizeof *fixture);
    open_fixture(fixture);
    *state = fixture;
    return 0;
}

static void close_fixture(struct fixture *fixture) {
    fixture->batch->records.count = 0; // nobody lent them
    rf_batch_destroy(fixture->batch);
    rf_decoder_destroy(fixture->decoder);
    rf_pipeline_destroy(fixture->pipeline);
    rf_settings_finish(&fixture->settings);
}

static int teardown(void **state) {
    close_fixture(*state);
    free(*state);
    return 0;
}

static enum rf_status fold(struct fixture *fixture, uint32_t partition, int64_t offset, const char *const *values, size_t count) {
    fill_batch(fixture->batch, fixture->pipeline, partition, offset, values, count);
    return fold_batch(fixture->pipeline, fixture->decoder, fixture->batch, &fixture->err);
}

static void digest_of(struct fixture *fixture, uint8_t digest_out[RF_SHA256_SIZE]) {
    rf_state_sha256(rf_pipeline_state(fixture->pipeline), RF_SCOPE_MODEL, digest_out);
}

static const char *const three[] = {"{\"id\":1,\"a\":2,\"y\":1}", "{\"id\":2,\"a\":-1,\"y\":0}", "{\"id\":3,\"a\":0.5}"};

static void step_scores_every_record_and_learns_those_with_a_label(void **state) {
    struct fixture *fixture = *state;
    assert_int_equal(fold(fixture, 0, 10, three, 3), RF_OK);
    const struct rf_pipeline_counts *counts = rf_pipeline_counts(fixture->pipeline);
    assert_int_equal(counts->records, 3);
    assert_int_equal(counts->learned, 2);
    const struct rf_predictions *predictions = &fixture->batch->predictions;
    assert_true(predictions->score[0] == 0.5); // nothing was learned yet
    assert_true(predictions->score[2] != 0.5 && isfinite(predictions->score[2]));
    assert_int_equal(predictions->since[0], 0);
    assert_int_equal(predictions->since[2], 2);
    const struct rf_position *position = &rf_pipeline_positions(fixture->pipeline)->list[0];
    assert_int_equal(position->next_offset, 13);
    assert_int_equal(position->records, 3);
}

static void step_drops_what_was_applied_before(void **state) {
    struct fixture *fixture = *state;
    uint8_t before[RF_SHA256_SIZE], after[RF_SHA256_SIZE];
    assert_int_equal(fold(fixture, 0, 10, three, 3), RF_OK);
    digest_of(fixture, before);
    assert_int_equal(fold(fixture, 0, 10, three, 3), RF_OK);
    digest_of(fixture, after);
    assert_memory_equal(before, after, sizeof before);
    const struct rf_pipeline_counts *counts = rf_pipeline_counts(fixture->pipeline);
    assert_int_equal(counts->records, 3);
    assert_int_equal(counts->duplicates, 3);
    assert_int_equal(fixture->batch->examples.purpose[0], 0); // so no sink publishes it again
}

static void step_refuses_a_log_that_is_another_one(void **state) {
    struct fixture *fixture = *state;
    const char *const other[] = {"{\"id\":9,\"a\":9,\"y\":1}"};
    assert_int_equal(fold(fixture, 1, 0, three, 3), RF_OK);
    assert_int_equal(fold(fixture, 1, 2, other, 1), RF_CONFLICT);
    assert_string_equal(
            fixture->err.text,
            "offset 2 of topic [1] holds another record than the one that was learned: the topic was made anew or cut; give "
            "the model a new state folder, or restore the topic");
}

static void step_counts_rejected_records_by_reason_and_goes_on(void **state) {
    struct fixture *fixture = *state;
    const char *const values[] = {"{\"a\":1,\"y\":1}", "{\"a\":1e999}", "nonsense", "", "{\"a\":2,\"y\":0}"};
    assert_int_equal(fold(fixture, 0, 0, values, 5), RF_OK);
    const struct rf_pipeline_counts *counts = rf_pipeline_counts(fixture->pipeline);
    assert_int_equal(counts->records, 5);
    assert_int_equal(counts->learned, 2);
    assert_int_equal(counts->rejected, 3);
    assert_int_equal(counts->rejected_by[RF_REASON_NON_FINITE], 1);
    assert_int_equal(counts->rejected_by[RF_REASON_UNDECODABLE], 1);
    assert_int_equal(counts->rejected_by[RF_REASON_EMPTY], 1);
    assert_int_equal(rf_metrics_get(rf_pipeline_metrics(fixture->pipeline), RF_METRIC_rejected_total, RF_REASON_EMPTY), 1);
}

// A sink with room for one prediction a call.
struct narrow_sink {
    struct rf_sink base;
    uint64_t taken;
    bool has_room;
};

static enum rf_status narrow_publish(struct rf_sink *self, const struct rf_predictions *predictions, size_t *done,
                                     struct rf_error *err) {
    (void)err;
    struct narrow_sink *sink = (struct narrow_sink *)self;
    sink->has_room = !sink->has_room;
    if (*done == predictions->examples->count) {
        return RF_OK;
    }
    if (!sink->has_room) {
        return RF_AGAIN;
    }
    sink->taken++;
    ++*done;
    return *done == predictions->examples->count ? RF_OK : RF_AGAIN;
}

static void narrow_destroy(struct rf_sink *self) {
    free(self);
}

static const struct rf_sink_ops narrow_ops = {.name = "narrow", .publish = narrow_publish, .destroy = narrow_destroy};

static struct narrow_sink *add_narrow(struct fixture *fixture, const char *label) {
    struct narrow_sink *sink = calloc(1, sizeof *sink);
    sink->base.ops = &narrow_ops;
    sink->base.label = strdup(label);
    assert_int_equal(rf_pipeline_add_sink(fixture->pipeline, &sink->base, &fixture->err), RF_OK);
    return sink;
}

static void step_waits_for_sinks_without_room_and_folds_once(void **state) {
    struct fixture *fixture = *state;
    struct narrow_sink *first = add_narrow(fixture, "first"), *second = add_narrow(fixture, "second");
    enum rf_status status = fold(fixture, 0, 0, three, 3);
    int calls = 1;
    for (; status == RF_AGAIN && calls < 100; calls++) {
        status = rf_pipeline_step(fixture->pipeline, fixture->batch, 0, &fixture->err);
    }
    assert_int_equal(status, RF_OK);
    assert_true(calls > 3);
    assert_int_equal(first->taken, 3);
    assert_int_equal(second->taken, 3);
    assert_int_equal(rf_pipeline_counts(fixture->pipeline)->records, 3);
}

static void sinks_stand_once(void **state) {
    struct fixture *fixture = *state;
    add_narrow(fixture, "same");
    struct narrow_sink *sink = calloc(1, sizeof *sink);
    sink->base.ops = &narrow_ops;
    sink->base.label = strdup("same");
    assert_int_equal(rf_pipeline_add_sink(fixture->pipeline, &sink->base, &fixture->err), RF_INVALID);
    assert_string_equal(fixture->err.text, "sink same stands twice, each may stand once");
}

static void pipelines_of_one_process_know_nothing_of_each_other(void **state) {
    struct fixture *fixture = *state;
    struct fixture other;
    uint8_t mine[RF_SHA256_SIZE], others[RF_SHA256_SIZE];
    open_fixture(&other);
    for (int64_t offset = 0; offset < 30; offset += 3) {
        assert_int_equal(fold(fixture, 0, offset, three, 3), RF_OK);
        if (offset % 2) {
            assert_int_equal(fold(&other, 0, offset, three, 3), RF_OK);
        }
    }
    for (int64_t offset = 30; rf_pipeline_counts(other.pipeline)->records < 30; offset += 3) {
        assert_int_equal(fold(&other, 0, offset, three, 3), RF_OK);
    }
    digest_of(fixture, mine);
    digest_of(&other, others);
    assert_memory_equal(mine, others, sizeof mine); // the same records in the same order, whatever ran beside
    close_fixture(&other);
}

static void held_out_records_are_predicted_and_never_learned(void **state) {
    struct fixture *fixture = *state;
    struct fixture other;
    uint8_t before[RF_SHA256_SIZE], after[RF_SHA256_SIZE];
    struct rf_figures figures;
    open_fixture_with(&other, 0, 1); // all of them
    digest_of(&other, before);
    assert_int_equal(fold(&other, 0, 0, three, 3), RF_OK);
    digest_of(&other, after);
    assert_memory_equal(before, after, sizeof before);
    assert_int_equal(rf_pipeline_counts(other.pipeline)->learned, 0);
    assert_int_equal(rf_pipeline_counts(other.pipeline)->records, 3);
    rf_evaluation_figures(rf_pipeline_evaluation(other.pipeline), &figures);
    assert_int_equal(figures.evaluated, 0);
    rf_evaluation_figures(rf_pipeline_holdout(other.pipeline), &figures);
    assert_int_equal(figures.evaluated, 2); // the third has no label
    assert_true(isfinite(other.batch->predictions.score[2]));
    assert_int_equal(other.batch->examples.purpose[0], RF_OBSERVE | RF_PREDICT | RF_HOLD_OUT);
    assert_int_equal(other.batch->examples.purpose[2], RF_OBSERVE | RF_PREDICT);
    assert_int_equal(fold(&other, 0, 0, three, 3), RF_OK); // delivered again
    assert_int_equal(other.batch->examples.purpose[0], 0);
    close_fixture(&other);
    assert_null(rf_pipeline_holdout(fixture->pipeline)); // by default nothing is held out
}

static void a_test_moves_neither_the_model_nor_its_figures(void **state) {
    struct fixture *fixture = *state;
    uint8_t before[RF_SHA256_SIZE], after[RF_SHA256_SIZE];
    struct rf_figures learned, tested;
    assert_int_equal(fold(fixture, 0, 0, three, 3), RF_OK);
    digest_of(fixture, before);
    assert_int_equal(rf_pipeline_begin_test(fixture->pipeline, &fixture->err), RF_OK);
    assert_int_equal(fold(fixture, 1, 0, three, 3), RF_OK);
    digest_of(fixture, after);
    assert_memory_equal(before, after, sizeof before);
    rf_evaluation_figures(rf_pipeline_evaluation(fixture->pipeline), &learned);
    rf_evaluation_figures(rf_pipeline_test(fixture->pipeline), &tested);
    assert_int_equal(learned.evaluated, 2);
    assert_int_equal(tested.evaluated, 2);
    assert_true(tested.list[RF_FIGURE_log_loss].value < learned.list[RF_FIGURE_log_loss].value); // it has learned them
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
            TEST(step_scores_every_record_and_learns_those_with_a_label),
            TEST(step_drops_what_was_applied_before),
            TEST(step_refuses_a_log_that_is_another_one),
            TEST(step_counts_rejected_records_by_reason_and_goes_on),
            TEST(step_waits_for_sinks_without_room_and_folds_once),
            TEST(sinks_stand_once),
            TEST(held_out_records_are_predicted_and_never_learned),
            TEST(a_test_moves_neither_the_model_nor_its_figures),
            TEST(pipelines_of_one_process_know_nothing_of_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
