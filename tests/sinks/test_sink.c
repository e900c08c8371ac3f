#include "sinks/clone.h"
#include "sinks/sink.h"
#include "tests/sinks/made_batch.h"
#include "tests/test.h"

#include <math.h>
#include <string.h>

// Takes a few predictions at a time and then has no room.
struct narrow_sink {
    struct rf_sink base;
    size_t room;
};

static enum rf_status narrow_publish(struct rf_sink *self, const struct rf_predictions *predictions, size_t *done,
                                     struct rf_error *err) {
    (void)err;
    size_t left = predictions->examples->count - *done;
    size_t taken = left < ((struct narrow_sink *)self)->room ? left : ((struct narrow_sink *)self)->room;
    *done += taken;
    return taken < left ? RF_AGAIN : RF_OK;
}

static void narrow_destroy(struct rf_sink *self) {
    (void)self;
}

static const struct rf_sink_ops narrow_ops = {.name = "narrow", .publish = narrow_publish, .destroy = narrow_destroy};

static void the_dispatcher_counts_what_was_due_and_waits(void **state) {
    (void)state;
    struct batch batch;
    batch_init(&batch);
    for (int64_t i = 0; i < 5; i++) {
        batch_add(&batch, i, NULL, i == 1 ? NAN : 0.5);
    }
    struct narrow_sink narrow = {.base.ops = &narrow_ops, .room = 3};
    struct rf_error err;
    size_t done = 0;
    assert_int_equal(rf_sink_publish(&narrow.base, &batch.predictions, &done, &err), RF_AGAIN);
    assert_int_equal(narrow.base.published, 2);
    assert_int_equal(rf_sink_publish(&narrow.base, &batch.predictions, &done, &err), RF_OK);
    assert_int_equal(done, 5);
    assert_int_equal(narrow.base.published, 4);
    assert_int_equal(narrow.base.waits, 1);
    rf_sink_destroy(&narrow.base);
    batch_finish(&batch);
}

static void a_kind_without_mark_settles_at_once(void **state) {
    (void)state;
    struct narrow_sink narrow = {.base.ops = &narrow_ops};
    struct rf_error err;
    assert_int_equal(rf_sink_mark(&narrow.base), 0);
    assert_int_equal(rf_sink_settle(&narrow.base, 1000, &err), RF_OK);
    assert_int_equal(rf_sink_rewind(&narrow.base, 9, &err), RF_OK);
    rf_sink_destroy(NULL);
}

static void check_settings(const struct rf_setting *settings) {
    for (; settings->name; settings++) {
        assert_true(settings->flags & RF_SETTING_NOT_MODEL);
        assert_non_null(settings->help);
        assert_true(settings->help[strlen(settings->help) - 1] != '.');
    }
}

static void no_setting_of_a_sink_belongs_to_the_model(void **state) {
    (void)state;
    static const char *const names[] = {"zeromq", "kafka", "file"};
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(rf_sink_variants[i].name, names[i]);
        check_settings(rf_sink_variants[i].settings);
    }
    assert_null(rf_sink_variants[3].name);
    check_settings(rf_rejected_settings);
    check_settings(rf_clone_settings);
}

static void without_a_place_rejected_records_are_only_counted(void **state) {
    (void)state;
    const struct rf_rejected_options options = {0};
    const struct rf_sink_context context = {.model = "fraud"};
    struct rf_error err;
    struct rf_sink *sink = (struct rf_sink *)&err;
    assert_int_equal(rf_sink_rejected_create(&options, &context, &sink, &err), RF_OK);
    assert_null(sink);
}

static void rejected_records_have_one_place(void **state) {
    (void)state;
    char topic[] = "t.rejected", file[] = "rejected.jsonl";
    const struct rf_rejected_options options = {.topic = topic, .file = file};
    const struct rf_sink_context context = {.model = "fraud"};
    struct rf_error err;
    struct rf_sink *sink;
    assert_int_equal(rf_sink_rejected_create(&options, &context, &sink, &err), RF_INVALID);
    assert_string_equal(err.text, "rejected: topic is t.rejected and file is rejected.jsonl, must be one of the two");
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(the_dispatcher_counts_what_was_due_and_waits),
            cmocka_unit_test(a_kind_without_mark_settles_at_once),
            cmocka_unit_test(no_setting_of_a_sink_belongs_to_the_model),
            cmocka_unit_test(without_a_place_rejected_records_are_only_counted),
            cmocka_unit_test(rejected_records_have_one_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
