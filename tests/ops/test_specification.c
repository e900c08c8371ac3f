#include "ops/specification.h"

#include "ops/config.h"
#include "tests/ops/config_table.h"
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

static char *text_of(const char *yaml) {
    struct model_options options = {0};
    struct rf_error err = {0};
    if (rf_config_read("a.yaml", rf_text_of(yaml), NULL, 0, model_settings, &options, &err) != RF_OK) {
        fail_msg("%s", err.text);
    }
    char *text = rf_specification_text(model_settings, &options);
    assert_non_null(text);
    rf_config_finish(model_settings, &options);
    return text;
}

static void expect_texts(const char *before, const char *after, enum rf_specification_change change, const char *sentence) {
    struct rf_error err = {0};
    assert_int_equal(rf_specification_compare(before, after, model_settings, &err), change);
    assert_string_equal(err.text, sentence);
}

// Compares the specifications of two files.
static void expect(const char *before, const char *after, enum rf_specification_change change, const char *sentence) {
    char *old = text_of(before);
    char *new = text_of(after);
    expect_texts(old, new, change, sentence);
    free(old);
    free(new);
}

static const char full[] = "seed = 1\n"
                           "features.label = \"fr\\\"aud\"\n"
                           "features.numbers[] = \"amount\"\n"
                           "features.numbers[] = \"hour\"\n"
                           "features.classes[] = \"no\"\n"
                           "features.classes[] = \"maybe\"\n"
                           "features.is_strict = false\n"
                           "learner = \"linear\"\n"
                           "learner.hash_bits = 18\n"
                           "learner.l2 = 1e-6\n"
                           "learner.optimizer = \"momentum\"\n"
                           "learner.optimizer.rate = 0.1\n"
                           "learner.optimizer.momentum = 0.9\n"
                           "mode = \"fast\"\n"
                           "ratio = 100000\n"
                           "pace = \"auto\"\n"
                           "scaler = \"bayes\"\n";

static void specification_writes_all_that_changes_what_is_learned(void **state) {
    (void)state;
    char *text = text_of("name: a\nkafka: {group.id: g}\nsinks: [file]\nlog: json\nmode: fast\nratio: 1e5\nscaler: bayes\n"
                         "learner: {l2: 0.000001, optimizer: {rate: 0.10}}\n"
                         "features: {label: 'fr\"aud', numbers: [hour, amount], classes: [no, maybe]}\n");
    assert_string_equal(text, full);
    free(text);
}

static void specification_does_not_depend_on_how_it_is_written(void **state) {
    (void)state;
    expect("{name: a, learner: linear, features: {numbers: [a, b]}}",
           "name: b\nfeatures:\n  numbers: [b, a]\nseed: 1\nlog: json\n", RF_SPECIFICATION_SAME, "");
    expect("{name: a, learner: {l2: 1e-2}}", "{name: a, learner: {l2: 0.01}}", RF_SPECIFICATION_SAME, "");
}

static void specification_hashes_its_text(void **state) {
    (void)state;
    uint8_t digest[RF_SHA256_SIZE];
    char hex[RF_SHA256_TEXT_SIZE];
    rf_specification_sha256("abc", digest);
    rf_sha256_text(digest, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"); // FIPS 180-4
}

static void specification_names_what_broke(void **state) {
    (void)state;
    expect("{name: a}", "{name: a, learner: {hash_bits: 20}}", RF_SPECIFICATION_BREAKING, "learner.hash_bits was 18, is 20");
    expect("{name: a}", "{name: a, pace: 0}", RF_SPECIFICATION_BREAKING, "pace was \"auto\", is 0");
    expect("{name: a, pace: 2}", "{name: a}", RF_SPECIFICATION_BREAKING, "pace was 2, is \"auto\"");
    expect("{name: a}", "{name: a, learner: bayes}", RF_SPECIFICATION_BREAKING, "learner was \"linear\", is \"bayes\"");
    expect("{name: a}", "{name: a, learner: {optimizer: sgd}}", RF_SPECIFICATION_BREAKING,
           "learner.optimizer was \"momentum\", is \"sgd\"");
    expect("{name: a}", "{name: a, features: {label: x}}", RF_SPECIFICATION_BREAKING, "features.label was not set, is \"x\"");
    expect("{name: a, features: {label: x}}", "{name: a}", RF_SPECIFICATION_BREAKING, "features.label was \"x\", is not set");
    expect("{name: a}", "{name: a, seed: 2, ratio: 7}", RF_SPECIFICATION_BREAKING, "seed was 1, is 2");
    expect("{name: a, features: {numbers: [a, b]}}", "{name: a, features: {numbers: [b]}}", RF_SPECIFICATION_BREAKING,
           "features.numbers lost \"a\"");
    expect("{name: a, features: {numbers: [a], classes: [x, y]}}", "{name: a, features: {numbers: [a, b], classes: [y, x]}}",
           RF_SPECIFICATION_BREAKING, "features.classes[0] was \"x\", is \"y\"");
    expect("{name: a, features: {classes: [x, y]}}", "{name: a, features: {classes: [x, y, z]}}", RF_SPECIFICATION_BREAKING,
           "features.classes gained \"z\"");
    expect("{name: a, features: {classes: [x, y]}}", "{name: a, features: {classes: [x]}}", RF_SPECIFICATION_BREAKING,
           "features.classes lost \"y\"");
    expect("{name: a}", "{name: a, features: {classes: [x]}}", RF_SPECIFICATION_BREAKING,
           "features.classes was empty, has \"x\"");
}

static void specification_lets_lists_of_features_grow(void **state) {
    (void)state;
    expect("{name: a, features: {numbers: [b]}}", "{name: a, features: {numbers: [amount, b, c]}}", RF_SPECIFICATION_COMPATIBLE,
           "features.numbers gained \"amount\"");
    expect("{name: a, features: {numbers: [b]}}", "{name: a, features: {numbers: [b], categories: [c]}}",
           RF_SPECIFICATION_COMPATIBLE, "features.categories gained \"c\"");
    // Without any list every field is a feature: naming some takes the others away.
    expect("{name: a}", "{name: a, features: {numbers: [amount]}}", RF_SPECIFICATION_BREAKING,
           "features.numbers was empty, has \"amount\"");
}

static void specification_takes_a_new_setting_at_its_default(void **state) {
    (void)state;
    static const char *const lines[] = {"seed = 1\n", "learner.l2 = 0\n", "features.is_strict = false\n",
                                        "learner.optimizer.momentum = 0.9\n", "pace = \"auto\"\n"};
    static const char *const sentences[] = {"seed is new, at its default 1", "learner.l2 is new, at its default 0",
                                            "features.is_strict is new, at its default false",
                                            "learner.optimizer.momentum is new, at its default 0.9",
                                            "pace is new, at its default \"auto\""};
    char *after = text_of("name: a");
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        char *before = strdup(after);
        char *line = strstr(before, lines[i]);
        assert_non_null(line);
        memmove(line, line + strlen(lines[i]), strlen(line + strlen(lines[i])) + 1);
        expect_texts(before, after, RF_SPECIFICATION_COMPATIBLE, sentences[i]);
        expect_texts(after, before, RF_SPECIFICATION_BREAKING,
                     i == 0   ? "seed was 1, is not set"
                     : i == 1 ? "learner.l2 was 0, is not set"
                     : i == 2 ? "features.is_strict was false, is not set"
                     : i == 3 ? "learner.optimizer.momentum was 0.9, is not set"
                              : "pace was \"auto\", is not set");
        free(before);
    }
    expect_texts("", after, RF_SPECIFICATION_COMPATIBLE, "seed is new, at its default 1");
    free(after);
}

static void specification_survives_texts_that_are_none(void **state) {
    (void)state;
    expect_texts("nonsense", "nonsense", RF_SPECIFICATION_SAME, "");
    expect_texts("nonsense\n\n = \n[] = 1\n\"\\", "seed = 1\n", RF_SPECIFICATION_BREAKING, "nonsense was , is not set");
    expect_texts("seed = 1", "seed = 1\nx[]", RF_SPECIFICATION_BREAKING, "x was empty, has ");
    expect_texts("seed = 1", "seed = 1\nlearner.l2.x = 0\n", RF_SPECIFICATION_BREAKING, "learner.l2.x was not set, is 0");
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(specification_writes_all_that_changes_what_is_learned),
            cmocka_unit_test(specification_does_not_depend_on_how_it_is_written),
            cmocka_unit_test(specification_hashes_its_text),
            cmocka_unit_test(specification_names_what_broke),
            cmocka_unit_test(specification_lets_lists_of_features_grow),
            cmocka_unit_test(specification_takes_a_new_setting_at_its_default),
            cmocka_unit_test(specification_survives_texts_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
