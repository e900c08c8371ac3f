// The sentences of the table; that what it lets pass works, and nothing else does, is for test_properties.c.
#include "learners/combination.h"
#include "learners/loss.h"
#include "learners/optimizer.h"
#include "tests/learners/learner_fixture.h"
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

// An optimizer that can do little.
static const struct rf_optimizer_kind narrow_kind = {
        .combination = {.rates = 1, .rate_offset = offsetof(struct rf_sgd_options, rate), .needs_flow = true}};
static const struct rf_variant narrow = {.name = "narrow", .registration = &narrow_kind};

static void check(const char *loss_name, const struct rf_variant *optimizer, const struct rf_rate *rate, double l1, double l2,
                  const char *sentence) {
    struct rf_variant_value loss_value = variant_of(rf_loss_variants, loss_name);
    struct rf_sgd_options options = {.rate = *rate};
    struct rf_loss loss;
    struct rf_error err;
    assert_int_equal(rf_loss_init(&loss_value, &loss, &err), RF_OK);
    const struct rf_variant_value value = {.kind = optimizer, .options = &options};
    enum rf_status status = rf_combination_check(&loss, &value, l1, l2, &err);
    assert_int_equal(status, sentence ? RF_INVALID : RF_OK);
    if (sentence) {
        assert_string_equal(err.text, sentence);
    }
    variant_finish(&loss_value);
}

static void what_does_not_go_together_is_said(void **state) {
    (void)state;
    const struct rf_rate constant = {.first = 1};
    const struct rf_rate falling = {.first = 1, .decay = RF_RATE_STEP, .every = 1};
    const struct rf_rate rising = {.first = 1, .warm_up = 9};
    check("squared", &narrow, &constant, 0, 0, NULL);
    check("softmax", &narrow, &constant, 0, 0,
          "loss softmax does not go with optimizer narrow, must be one whose gradient flow has a closed form");
    check("squared", &narrow, &falling, 0, 0, "rate_decay is step with optimizer narrow, which does not know it");
    check("squared", &narrow, &rising, 0, 0, "rate_warm_up is 9 with optimizer narrow, must be 0");
    check("squared", &narrow, &constant, 0.5, 0,
          "l1 is 0.5 with optimizer narrow, must be 0; optimizer sgd knows l1, adaptive and ftrl have one of their own");
    check("squared", &narrow, &constant, 0, 0.5, "l2 is 0.5 with optimizer narrow, must be 0; ftrl has one of its own");
    check("squared", NULL, &constant, 0, 0, "optimizer is absent, must be given");
}

static const struct rf_variant *kind_of(const char *name) {
    const struct rf_variant *kind = rf_optimizer_variants;
    while (strcmp(kind->name, name) != 0) {
        kind++;
        assert_non_null(kind->name);
    }
    return kind;
}

static void l1_goes_with_sgd_alone_and_l2_with_all_but_ftrl(void **state) {
    (void)state;
    static const char *const others[] = {"momentum", "nesterov", "adagrad", "rmsprop", "adadelta", "adam"};
    const struct rf_rate rising = {.first = 1, .decay = RF_RATE_INVERSE_SCALING, .start = 1, .warm_up = 9};
    check("softmax", kind_of("sgd"), &rising, 0.1, 0.1, NULL);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        char sentence[128];
        snprintf(sentence, sizeof sentence,
                 "l1 is 0.1 with optimizer %s, must be 0; optimizer sgd knows l1, adaptive and ftrl have one of their own",
                 others[i]);
        check("softmax", kind_of(others[i]), &rising, 0, 0.1, NULL);
        check("softmax", kind_of(others[i]), &rising, 0.1, 0.1, sentence);
    }
    check("softmax", kind_of("ftrl"), &rising, 0, 0, NULL);
    check("softmax", kind_of("ftrl"), &rising, 0, 0.1, "l2 is 0.1 with optimizer ftrl, must be 0; ftrl has one of its own");
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(what_does_not_go_together_is_said),
            cmocka_unit_test(l1_goes_with_sgd_alone_and_l2_with_all_but_ftrl),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
