#include "learners/options.h"

#include "learners/learner.h"
#include "learners/optimizer.h"
#include "tests/test.h"

#include <math.h>
#include <string.h>

enum { ONE, TWO };
static const char *const choices[] = {"one", "two", NULL};

struct part {
    uint64_t count;
    double share;
    double rate;
};

static const char *const automatic[] = {"auto", NULL};

static const struct rf_setting part_settings[] = {
        RF_UINT(struct part, count, "3", 1, 10, 0, "a count"),
        RF_REAL(struct part, share, "0.5", 0, 1, 0, "a share"),
        {.type = RF_TYPE_REAL,
         .name = "rate",
         .offset = offsetof(struct part, rate),
         .fallback = "auto",
         .min = 0,
         .max = 1,
         .choices = automatic,
         .help = "a number, or a word"},
        {0},
};

struct whole {
    bool is_on;
    char *name;
    char *label;
    int choice;
    int open;
    struct part part;
    struct rf_variant_value inner;
    struct rf_texts list;
    struct rf_pairs pairs;
};

static const struct rf_variant inner_variants[] = {
        {"part", "has settings", part_settings, sizeof(struct part), NULL},
        {"plain", "has none", NULL, 0, NULL},
        {0},
};

static const struct rf_setting whole_settings[] = {
        RF_BOOL(struct whole, is_on, "true", 0, "a switch"),
        RF_TEXT(struct whole, name, "nobody", 0, "a text"),
        RF_TEXT(struct whole, label, NULL, 0, "a text that may be absent"),
        RF_CHOICE(struct whole, choice, "two", choices, 0, "a choice"),
        RF_CHOICE(struct whole, open, NULL, choices, 0, "a choice without default"),
        RF_SECTION(struct whole, part, part_settings, 0, "a section"),
        RF_VARIANT(struct whole, inner, "part", inner_variants, 0, "a kind"),
        RF_TEXTS(struct whole, list, 0, "a list"),
        RF_PAIRS(struct whole, pairs, 0, "names and values"),
        {0},
};

static const struct rf_variant whole_variants[] = {{"whole", "all types", whole_settings, sizeof(struct whole), NULL}, {0}};

static struct rf_variant_value create(const char *text) {
    struct rf_variant_value value;
    struct rf_error err;
    if (rf_options_create(whole_variants, "whole", text, &value, &err) != RF_OK) {
        fail_msg("%s", err.text);
    }
    return value;
}

static void what_is_not_set_has_its_default(void **state) {
    (void)state;
    struct rf_variant_value value = create(NULL);
    const struct whole *whole = value.options;
    assert_true(whole->is_on);
    assert_string_equal(whole->name, "nobody");
    assert_null(whole->label);
    assert_int_equal(whole->choice, TWO);
    assert_int_equal(whole->open, -1);
    assert_int_equal(whole->part.count, 3);
    assert_true(whole->part.share == 0.5);
    assert_true(isnan(whole->part.rate));
    assert_string_equal(whole->inner.kind->name, "part");
    assert_int_equal(((const struct part *)whole->inner.options)->count, 3);
    assert_int_equal(whole->list.count, 0);
    rf_options_destroy(&value);
    assert_null(value.kind);
    rf_options_destroy(&value); // harmless
}

static void pairs_set_members_at_every_level(void **state) {
    (void)state;
    struct rf_variant_value value = create(
            "is_on=false, name=somebody,label =x,\n choice = one,open=two,part.count=7, inner.share=0.25, part.share=1e-1");
    const struct whole *whole = value.options;
    assert_false(whole->is_on);
    assert_string_equal(whole->name, "somebody");
    assert_string_equal(whole->label, "x");
    assert_int_equal(whole->choice, ONE);
    assert_int_equal(whole->open, TWO);
    assert_int_equal(whole->part.count, 7);
    assert_true(whole->part.share == 0.1);
    assert_true(((const struct part *)whole->inner.options)->share == 0.25);
    rf_options_destroy(&value);
    value = create("inner.count=9, inner=plain, inner=part"); // a kind chosen anew has its defaults
    assert_int_equal(((const struct part *)((const struct whole *)value.options)->inner.options)->count, 3);
    rf_options_destroy(&value);
}

static void refuse(const char *kind, const char *text, const char *sentence) {
    struct rf_variant_value value = {0};
    struct rf_error err;
    assert_int_equal(rf_options_create(whole_variants, kind, text, &value, &err), RF_INVALID);
    assert_string_equal(err.text, sentence);
    assert_null(value.options);
}

static void what_is_not_known_or_not_possible_is_refused(void **state) {
    (void)state;
    refuse("hole", NULL, "the kind is \"hole\", must be whole");
    refuse("whole", "part.size=3", "unknown setting \"size\" of part, must be count, share or rate");
    refuse("whole", "size=3",
           "unknown setting \"size\" of whole, must be is_on, name, label, choice, open, part, inner, list or pairs");
    refuse("whole", "name.first=x", "unknown setting \"first\" of name, must be none: it has no settings");
    refuse("whole", "inner=plain, inner.count=3", "unknown setting \"count\" of plain, must be none: it has no settings");
    refuse("whole", "inner=other", "inner is \"other\", must be part or plain");
    refuse("whole", "choice=three", "choice is \"three\", must be one or two");
    refuse("whole", "is_on=yes", "is_on is \"yes\", must be true or false");
    refuse("whole", "part.count=0", "count is \"0\", must be a whole number from 1 to 10");
    refuse("whole", "part.count=3.5", "count is \"3.5\", must be a whole number from 1 to 10");
    refuse("whole", "part.count=99999999999999999999", "count is \"99999999999999999999\", must be a whole number from 1 to 10");
    refuse("whole", "part.share=nan", "share is \"nan\", must be a number from 0 to 1");
    refuse("whole", "part.share=1e", "share is \"1e\", must be a number from 0 to 1");
    refuse("whole", "part.share=2", "share is \"2\", must be a number from 0 to 1");
    refuse("whole", "part.rate=2", "rate is \"2\", must be a number from 0 to 1 or auto");
    refuse("whole", "part=3", "part is a list or a section, must be set by its members or not at all");
    refuse("whole", "list=a", "list is a list or a section, must be set by its members or not at all");
    refuse("whole", "is_on", "\"is_on\" is no setting, must be name=value");
    refuse("whole", "name=a b", "\"name=a b\" is no setting, must be name=value");
}

static void learners_can_be_made_of_text(void **state) {
    (void)state;
    struct rf_variant_value value;
    struct rf_learner *learner;
    struct rf_error err;
    assert_int_equal(rf_options_create(rf_learner_variants, "linear", "loss=squared, optimizer=momentum, optimizer.momentum=0.75",
                                       &value, &err),
                     RF_OK);
    const struct rf_linear_options *linear = value.options;
    assert_true(((const struct rf_momentum_options *)linear->optimizer.options)->momentum == 0.75);
    assert_int_equal(rf_learner_create(&value, &(struct rf_learner_context){.features_max = 8}, &learner, &err), RF_OK);
    rf_options_destroy(&value); // a learner keeps nothing of it
    assert_int_equal(learner->task, RF_TASK_REGRESSION);
    rf_learner_destroy(learner);
}

static void members_of_free_names_are_set_one_by_one(void **state) {
    (void)state;
    struct rf_variant_value value;
    struct rf_error err;
    assert_int_equal(rf_options_create(whole_variants, "whole", "pairs.a=1, pairs.0.5=2, pairs.a=3", &value, &err), RF_OK);
    const struct rf_pairs *pairs = &((const struct whole *)value.options)->pairs;
    assert_int_equal(pairs->count, 2);
    assert_string_equal(pairs->list[0].name, "a");
    assert_string_equal(pairs->list[0].value, "3");
    assert_string_equal(pairs->list[1].name, "0.5");
    assert_string_equal(pairs->list[1].value, "2");
    rf_options_destroy(&value);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(members_of_free_names_are_set_one_by_one),
            cmocka_unit_test(what_is_not_set_has_its_default),
            cmocka_unit_test(pairs_set_members_at_every_level),
            cmocka_unit_test(what_is_not_known_or_not_possible_is_refused),
            cmocka_unit_test(learners_can_be_made_of_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
