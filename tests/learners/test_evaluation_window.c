// Figures over the last records: exactly those, whenever they are asked for, and after a restore.
#include "tests/learners/evaluation_fixture.h"
#include "tests/test.h"

#include <math.h>
#include <string.h>

enum { RECORDS = 260, WINDOW = 64 };

static const struct rf_evaluation_options kinds[] = {
        {.task = RF_TASK_BINARY, .outputs = 1, .window = WINDOW},
        {.task = RF_TASK_BINARY, .outputs = 1, .is_margin = true, .window = WINDOW},
        {.task = RF_TASK_MULTICLASS, .outputs = 4, .window = WINDOW},
        {.task = RF_TASK_REGRESSION, .outputs = 1, .window = WINDOW, .quantile = 0.2},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static struct scored_stream stream;

static void fold(struct rf_evaluation *evaluation, size_t begin, size_t end) {
    rf_evaluation_fold(evaluation, &stream.examples, begin, end, &stream.predictions);
}

static void the_window_holds_the_last_records_exactly(void **state) {
    (void)state;
    static const size_t stops[] = {1, 2, 3, 40, 64, 65, 70, 100, 129, 130, 259, 260}; // also more than a window apart
    for (size_t i = 0; i < KINDS; i++) {
        for (unsigned bits = 0; bits < 4; bits++) {
            scored_begin(&stream, &kinds[i]);
            scored_fill(&stream, RECORDS, 11 + i, bits & 1, bits & 2);
            size_t at = 0;
            for (size_t s = 0; s < sizeof stops / sizeof *stops; s++) {
                struct rf_figures actual, expected;
                fold(stream.evaluation, at, stops[s]);
                at = stops[s];
                rf_evaluation_window_figures(stream.evaluation, &actual);
                naive_figures(&stream, at > WINDOW ? at - WINDOW : 0, at, 0.2, &expected);
                if (at < 40) { // few labels: what applies to them is not the question here
                    assert_int_equal(actual.evaluated, at);
                    continue;
                }
                assert_same_figures(&actual, &expected, 1e-12);
                for (size_t k = 0; k < RF_FIGURE_COUNT; k++) {
                    assert_true(actual.list[k].error == 0);
                }
            }
            scored_end(&stream);
        }
    }
}

static void figures_do_not_depend_on_when_they_are_asked_for(void **state) {
    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        scored_begin(&stream, &kinds[i]);
        scored_fill(&stream, RECORDS, 3, true, true);
        struct rf_error err;
        struct rf_evaluation *often = NULL;
        struct rf_figures expected, actual;
        assert_int_equal(rf_evaluation_create(&kinds[i], &often, &err), RF_OK);
        fold(stream.evaluation, 0, RECORDS);
        for (size_t at = 0; at < RECORDS; at++) {
            fold(often, at, at + 1);
            rf_evaluation_window_figures(often, &actual);
        }
        rf_evaluation_window_figures(stream.evaluation, &expected);
        assert_memory_equal(actual.list, expected.list, sizeof actual.list);
        rf_evaluation_destroy(often);
        scored_end(&stream);
    }
}

static void copy_state(const struct rf_state *from, const struct rf_state *to) {
    for (size_t i = 0; i < from->count; i++) {
        struct rf_block *block = rf_state_find(to, from->list[i]->name);
        assert_non_null(block);
        memcpy(block->data, from->list[i]->data, rf_block_size(from->list[i]));
    }
}

static void a_resume_goes_on_to_the_same_bytes(void **state) {
    (void)state;
    static const size_t cuts[] = {0, 10, WINDOW, 100, RECORDS - 1};
    for (size_t i = 0; i < KINDS * (sizeof cuts / sizeof *cuts); i++) {
        const struct rf_evaluation_options *options = &kinds[i % KINDS];
        size_t cut = cuts[i / KINDS];
        struct rf_evaluation *first = NULL, *second = NULL;
        struct rf_state straight, saved, restored;
        struct rf_error err;
        scored_begin(&stream, options);
        scored_fill(&stream, RECORDS, 7, false, true);
        assert_int_equal(rf_evaluation_create(options, &first, &err), RF_OK);
        assert_int_equal(rf_evaluation_create(options, &second, &err), RF_OK);
        rf_state_init(&straight);
        rf_state_init(&saved);
        rf_state_init(&restored);
        rf_evaluation_state(stream.evaluation, &straight);
        rf_evaluation_state(first, &saved);
        rf_evaluation_state(second, &restored);
        fold(stream.evaluation, 0, RECORDS);
        fold(first, 0, cut);
        struct rf_figures expected, actual;
        fold(second, 100, 200); // it was in use, and has its own order
        rf_evaluation_window_figures(second, &actual);
        copy_state(&saved, &restored);
        assert_int_equal(rf_evaluation_check(second, &err), RF_OK);
        fold(second, cut, RECORDS);
        assert_int_equal(rf_state_compare(&straight, &restored, &err), RF_OK);
        rf_evaluation_window_figures(stream.evaluation, &expected);
        rf_evaluation_window_figures(second, &actual);
        assert_memory_equal(actual.list, expected.list, sizeof actual.list);
        rf_state_finish(&straight);
        rf_state_finish(&saved);
        rf_state_finish(&restored);
        rf_evaluation_destroy(first);
        rf_evaluation_destroy(second);
        scored_end(&stream);
    }
}

static void a_window_that_begins_anew_fills_again(void **state) {
    (void)state;
    scored_begin(&stream, &kinds[0]);
    scored_fill(&stream, RECORDS, 13, false, false);
    struct rf_state blocks;
    struct rf_error err;
    struct rf_figures actual, expected;
    rf_state_init(&blocks);
    rf_evaluation_state(stream.evaluation, &blocks);
    fold(stream.evaluation, 0, 200);
    struct rf_block *ring = rf_state_find(&blocks, "evaluation.window");
    assert_true(ring->may_begin_anew);
    memset(ring->data, 0, rf_block_size(ring)); // as after a snapshot with a window of another size
    assert_int_equal(rf_evaluation_check(stream.evaluation, &err), RF_OK);
    rf_evaluation_window_figures(stream.evaluation, &actual);
    assert_int_equal(actual.evaluated, 0);
    fold(stream.evaluation, 200, 250);
    rf_evaluation_window_figures(stream.evaluation, &actual);
    naive_figures(&stream, 200, 250, 0.5, &expected);
    assert_same_figures(&actual, &expected, 1e-12);
    rf_state_finish(&blocks);
    scored_end(&stream);
}

static void without_a_window_there_are_no_figures_of_it(void **state) {
    (void)state;
    struct rf_evaluation_options options = kinds[0];
    options.window = 0;
    scored_begin(&stream, &options);
    scored_fill(&stream, 10, 1, false, false);
    scored_fold(&stream);
    struct rf_figures figures;
    rf_evaluation_window_figures(stream.evaluation, &figures);
    assert_int_equal(figures.evaluated, 0);
    scored_end(&stream);
}

// Every column of every block, one value at a time, is made what no evaluation writes: refused, or harmless.
static void forged_blocks_are_refused_or_harmless(void **state) {
    (void)state;
    static const double absurd[] = {NAN, INFINITY, -INFINITY, 1e300, -1e300, 1e20, -1, 0.5};
    for (size_t i = 0; i < KINDS; i++) {
        scored_begin(&stream, &kinds[i]);
        scored_fill(&stream, RECORDS, 17, true, true);
        struct rf_state blocks;
        struct rf_error err;
        struct rf_figures figures;
        size_t refused = 0;
        rf_state_init(&blocks);
        rf_evaluation_state(stream.evaluation, &blocks);
        fold(stream.evaluation, 0, 200);
        for (size_t b = 0; b < blocks.count; b++) {
            struct rf_block *block = blocks.list[b];
            unsigned char *bytes = (unsigned char *)block->data + block->rows / 2 * block->row_size;
            for (size_t at = 0; at + 8 <= block->row_size; at += 8) {
                for (size_t v = 0; v < sizeof absurd / sizeof *absurd; v++) {
                    unsigned char before[8];
                    memcpy(before, bytes + at, 8);
                    memcpy(bytes + at, &absurd[v], 8);
                    bool is_refused = rf_evaluation_check(stream.evaluation, &err) != RF_OK;
                    refused += is_refused;
                    if (is_refused) {
                        assert_int_equal(err.status, RF_CORRUPT);
                        assert_non_null(strstr(err.text, "block evaluation."));
                    } else {
                        rf_evaluation_window_figures(stream.evaluation, &figures);
                        rf_evaluation_figures(stream.evaluation, &figures);
                    }
                    memcpy(bytes + at, before, 8);
                }
            }
        }
        assert_true(refused > 100);
        assert_int_equal(rf_evaluation_check(stream.evaluation, &err), RF_OK);
        rf_state_finish(&blocks);
        scored_end(&stream);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(the_window_holds_the_last_records_exactly),
            cmocka_unit_test(figures_do_not_depend_on_when_they_are_asked_for),
            cmocka_unit_test(a_resume_goes_on_to_the_same_bytes),
            cmocka_unit_test(a_window_that_begins_anew_fills_again),
            cmocka_unit_test(without_a_window_there_are_no_figures_of_it),
            cmocka_unit_test(forged_blocks_are_refused_or_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
