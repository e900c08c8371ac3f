#include "ingest/bucket.h"

#include "tests/test.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static struct rf_bucket_rule rule_of(int kind, int scale, double width, double *edges, size_t edge_count) {
    struct rf_bucket_options options = {.field = "x", .kind = kind, .scale = scale, .width = width, .edges = {edges, edge_count}};
    struct rf_bucket_rule rule;
    struct rf_error err = {0};
    if (rf_bucket_rule_init(&options, &rule, &err)) {
        fail_msg("%s", err.text);
    }
    return rule;
}

// The buckets of a number in words: `+3:1`, `+2:0.25 +3:0.75`; the sign, the index, the share.
static const char *buckets_of(const struct rf_bucket_rule *rule, double x) {
    static char words[128];
    struct rf_bucket buckets[RF_BUCKETS_MAX];
    size_t count = rf_bucket_find(rule, x, buckets);
    words[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        size_t used = strlen(words);
        snprintf(words + used, sizeof words - used, "%s%s%lld:%.15g", i ? " " : "",
                 buckets[i].sign < 0 ? "-"
                 : buckets[i].sign   ? "+"
                                     : "0",
                 (long long)buckets[i].index, buckets[i].share);
    }
    return words;
}

static void bucket_holds_what_is_between_its_ends(void **state) {
    (void)state;
    struct rf_bucket_rule rule = rule_of(RF_BUCKET_HARD, RF_BUCKET_LINEAR, 0.5, NULL, 0);
    assert_string_equal(buckets_of(&rule, 0), "+0:1");
    assert_string_equal(buckets_of(&rule, -0.0), "+0:1");
    assert_string_equal(buckets_of(&rule, 0.49), "+0:1");
    assert_string_equal(buckets_of(&rule, 0.5), "+1:1");
    assert_string_equal(buckets_of(&rule, -0.01), "+-1:1");
    assert_string_equal(buckets_of(&rule, 1e300), "+9007199254740992:1");
    assert_string_equal(buckets_of(&rule, -DBL_MAX), "+-9007199254740992:1");
}

static void bucket_shares_a_number_between_two_knots(void **state) {
    (void)state;
    struct rf_bucket_rule rule = rule_of(RF_BUCKET_INTERPOLATED, RF_BUCKET_LINEAR, 2, NULL, 0);
    assert_string_equal(buckets_of(&rule, 4), "+2:1");
    assert_string_equal(buckets_of(&rule, 4.5), "+2:0.75 +3:0.25");
    assert_string_equal(buckets_of(&rule, -0.5), "+-1:0.25 +0:0.75");
    assert_string_equal(buckets_of(&rule, 1e300), "+9007199254740992:1");
}

static void bucket_shares_add_to_one(void **state) {
    (void)state;
    double edges[] = {-3, 0.1, 7};
    struct rf_bucket_rule rules[] = {
            rule_of(RF_BUCKET_INTERPOLATED, RF_BUCKET_LINEAR, 0.3, NULL, 0),
            rule_of(RF_BUCKET_INTERPOLATED, RF_BUCKET_LOG, 0.7, NULL, 0),
            rule_of(RF_BUCKET_INTERPOLATED, RF_BUCKET_LINEAR, 0, edges, 3),
    };
    for (size_t k = 0; k < 3; k++) {
        double x = 1e-300;
        for (int i = 0; i < 20000; i++) {
            x *= -1.07;
            struct rf_bucket buckets[RF_BUCKETS_MAX];
            size_t count = rf_bucket_find(&rules[k], x, buckets);
            assert_true(count == 1 || (count == 2 && buckets[1].index == buckets[0].index + 1));
            assert_true(buckets[0].share > 0 && (count == 1 ? buckets[0].share : buckets[0].share + buckets[1].share) == 1.0);
            x = fabs(x) > 1e300 ? 1e-300 : x;
        }
        rf_bucket_rule_finish(&rules[k]);
    }
}

static void bucket_by_edges_ends_before_the_next_edge(void **state) {
    (void)state;
    double edges[] = {0, 10, 100};
    struct rf_bucket_rule rule = rule_of(RF_BUCKET_HARD, RF_BUCKET_LINEAR, 0, edges, 3);
    assert_string_equal(buckets_of(&rule, -1), "+0:1");
    assert_string_equal(buckets_of(&rule, 0), "+1:1");
    assert_string_equal(buckets_of(&rule, 9.99), "+1:1");
    assert_string_equal(buckets_of(&rule, 10), "+2:1");
    assert_string_equal(buckets_of(&rule, 1e9), "+3:1");
    rf_bucket_rule_finish(&rule);
    rule = rule_of(RF_BUCKET_INTERPOLATED, RF_BUCKET_LINEAR, 0, edges, 3);
    assert_string_equal(buckets_of(&rule, -1), "+0:1");
    assert_string_equal(buckets_of(&rule, 0), "+0:1");
    assert_string_equal(buckets_of(&rule, 2.5), "+0:0.75 +1:0.25");
    assert_string_equal(buckets_of(&rule, 55), "+1:0.5 +2:0.5");
    assert_string_equal(buckets_of(&rule, 100), "+2:1");
    assert_string_equal(buckets_of(&rule, 1e9), "+2:1");
    rf_bucket_rule_finish(&rule);
}

static void bucket_on_a_log_scale_knows_signs_and_zero(void **state) {
    (void)state;
    struct rf_bucket_rule rule = rule_of(RF_BUCKET_HARD, RF_BUCKET_LOG, 0.6931471805599453, NULL, 0); // doubles
    assert_string_equal(buckets_of(&rule, 0), "00:1");
    assert_string_equal(buckets_of(&rule, -0.0), "00:1");
    assert_string_equal(buckets_of(&rule, 1), "+0:1");
    assert_string_equal(buckets_of(&rule, 5), "+2:1");
    assert_string_equal(buckets_of(&rule, -5), "-2:1");
    assert_string_equal(buckets_of(&rule, 0.3), "+-2:1");
    assert_string_equal(buckets_of(&rule, 4.9e-324), "+-1074:1");
    assert_string_equal(buckets_of(&rule, DBL_MAX), "+1024:1"); // rounded: ln of it is that of 2^1024
    rule = rule_of(RF_BUCKET_INTERPOLATED, RF_BUCKET_LOG, 2, NULL, 0);
    struct rf_bucket buckets[RF_BUCKETS_MAX];
    assert_int_equal(rf_bucket_find(&rule, -exp(3.0), buckets), 2);
    assert_true(buckets[0].sign == -1 && buckets[0].index == 1 && fabs(buckets[0].share - 0.5) < 1e-15);
    assert_string_equal(buckets_of(&rule, 0), "00:1");
}

static void refuses(const struct rf_bucket_options *options, const char *sentence) {
    struct rf_bucket_rule rule;
    struct rf_error err = {0};
    assert_int_equal(rf_bucket_rule_init(options, &rule, &err), RF_INVALID);
    assert_string_equal(err.text, sentence);
}

static void bucket_refuses_what_does_not_go_together(void **state) {
    (void)state;
    double edges[] = {1, 2, 2};
    refuses(&(struct rf_bucket_options){.field = "x"},
            "buckets of field x have neither width nor edges, must have one of the two");
    refuses(&(struct rf_bucket_options){.field = "x", .width = 1, .edges = {edges, 2}},
            "buckets of field x have width and edges, must have one of the two");
    refuses(&(struct rf_bucket_options){.field = "x", .width = 1e-200},
            "buckets of field x: width is 1e-200, must be at least 1e-100");
    refuses(&(struct rf_bucket_options){.field = "x", .edges = {edges, 3}},
            "buckets of field x: edge 2 comes after 2, edges must rise");
    refuses(&(struct rf_bucket_options){.field = "x", .edges = {edges, 2}, .scale = RF_BUCKET_LOG},
            "buckets of field x: scale is log with edges, must be linear");
    refuses(&(struct rf_bucket_options){.field = "x", .edges = {edges, 1}, .kind = RF_BUCKET_INTERPOLATED},
            "buckets of field x: there is one edge, interpolation must have two or more");
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(bucket_holds_what_is_between_its_ends),
            cmocka_unit_test(bucket_shares_a_number_between_two_knots),
            cmocka_unit_test(bucket_shares_add_to_one),
            cmocka_unit_test(bucket_by_edges_ends_before_the_next_edge),
            cmocka_unit_test(bucket_on_a_log_scale_knows_signs_and_zero),
            cmocka_unit_test(bucket_refuses_what_does_not_go_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
