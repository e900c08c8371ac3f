#ifndef RF_TESTS_OPS_CONFIG_TABLE_H
#define RF_TESTS_OPS_CONFIG_TABLE_H
// A table with every type of row, for the tests of config and specification and for the fuzzer.
#include "proto/setting.h"

#include <float.h>
#include <stdbool.h>
#include <stdint.h>

struct momentum_options {
    double rate, momentum;
};
struct linear_options {
    uint64_t hash_bits;
    double l2;
    struct rf_variant_value optimizer;
};
struct zeromq_options {
    char *publish;
    char *curve_key;
};
struct file_options {
    char *path;
    struct rf_pairs headers;
};
struct bucket_options {
    char *field;
    double width;
    struct rf_reals edges;
};
struct feature_options {
    char *label;
    struct rf_texts numbers, categories, classes;
    bool is_strict;
    struct rf_named_texts namespaces;
    struct rf_text_lists crosses;
    struct rf_sections buckets; // of struct bucket_options
};
struct model_options {
    char *name;
    uint64_t seed;
    struct rf_pairs kafka;
    struct feature_options features;
    struct rf_variant_value learner;
    struct rf_variant_values sinks;
    int log;
    int mode;
    char *delimiter;
    double ratio, pace;
    struct rf_variant_value scaler;
};

static const char *const log_choices[] = {"logfmt", "json", NULL};
static const char *const mode_choices[] = {"slow", "fast", "best", NULL};

static const char *const pace_words[] = {"auto", NULL};

static const struct rf_setting sgd_settings[] = {
        {.type = RF_TYPE_REAL, .name = "rate", .fallback = "0.05", .min = 0, .max = 10, .help = "step size"},
        {0},
};
static const struct rf_setting momentum_settings[] = {
        RF_REAL(struct momentum_options, rate, "0.05", 0, 10, 0, "step size"),
        RF_REAL(struct momentum_options, momentum, "0.9", 0, 1, 0, "share of the velocity kept"),
        {0},
};
static const struct rf_variant optimizers[] = {
        {"sgd", "plain steps", sgd_settings, sizeof(double), NULL},
        {"momentum", "heavy ball", momentum_settings, sizeof(struct momentum_options), NULL},
        {0},
};
static const struct rf_setting linear_settings[] = {
        RF_UINT(struct linear_options, hash_bits, "18", 1, 28, 0, "log2 of the number of weights"),
        RF_REAL(struct linear_options, l2, "0", 0, 1, 0, "weight decay per example"),
        RF_VARIANT(struct linear_options, optimizer, "momentum", optimizers, 0, "how weights move"),
        {0},
};
static const struct rf_variant learners[] = {
        {"linear", "a linear model", linear_settings, sizeof(struct linear_options), NULL},
        {"bayes", "naive Bayes", NULL, 0, NULL},
        {0},
};
static const struct rf_setting zeromq_settings[] = {
        RF_TEXT(struct zeromq_options, publish, NULL, RF_SETTING_REQUIRED, "endpoint to bind"),
        RF_TEXT(struct zeromq_options, curve_key, NULL, RF_SETTING_SECRET, "secret key"),
        {0},
};
static const struct rf_setting file_settings[] = {
        RF_TEXT(struct file_options, path, "scores.jsonl", 0, "file to write"),
        RF_PAIRS(struct file_options, headers, 0, "free names"),
        {0},
};
static const struct rf_variant sinks[] = {
        {"zeromq", "to subscribers", zeromq_settings, sizeof(struct zeromq_options), NULL},
        {"file", "to a file", file_settings, sizeof(struct file_options), NULL},
        {0},
};
static const struct rf_setting bucket_settings[] = {
        RF_TEXT(struct bucket_options, field, NULL, RF_SETTING_REQUIRED, "field of the number"),
        RF_REAL(struct bucket_options, width, "1", 0, 100, 0, "of a bucket"),
        RF_REALS(struct bucket_options, edges, -DBL_MAX, DBL_MAX, 0, "between buckets"),
        {0},
};
static const struct rf_setting feature_settings[] = {
        RF_TEXT(struct feature_options, label, NULL, 0, "field of the outcome"),
        RF_TEXTS(struct feature_options, numbers, RF_SETTING_GROWS, "fields that are numbers"),
        RF_TEXTS(struct feature_options, categories, RF_SETTING_GROWS, "fields that are categories"),
        RF_TEXTS(struct feature_options, classes, 0, "names of the classes"),
        RF_BOOL(struct feature_options, is_strict, "false", 0, "whether unknown fields are refused"),
        RF_NAMED_TEXTS(struct feature_options, namespaces, RF_SETTING_GROWS | RF_SETTING_APART, "groups of fields"),
        RF_TEXT_LISTS(struct feature_options, crosses, RF_SETTING_GROWS | RF_SETTING_APART, "fields to cross"),
        RF_SECTIONS(struct feature_options, buckets, struct bucket_options, bucket_settings, 0, "numbers put into buckets"),
        {0},
};
static const struct rf_setting model_settings[] = {
        RF_TEXT(struct model_options, name, NULL, RF_SETTING_REQUIRED | RF_SETTING_NOT_MODEL, "of the model"),
        RF_UINT(struct model_options, seed, "1", 0, 18446744073709551615.0, 0, "of everything random"),
        RF_PAIRS(struct model_options, kafka, RF_SETTING_NOT_MODEL, "librdkafka's properties"),
        RF_SECTION(struct model_options, features, feature_settings, 0, "what is read"),
        RF_VARIANT(struct model_options, learner, "linear", learners, 0, "what learns"),
        RF_VARIANTS(struct model_options, sinks, sinks, RF_SETTING_NOT_MODEL, "where predictions go"),
        RF_CHOICE(struct model_options, log, "logfmt", log_choices, RF_SETTING_NOT_MODEL, "form of the log"),
        RF_CHOICE(struct model_options, mode, NULL, mode_choices, 0, "how it goes"),
        RF_TEXT(struct model_options, delimiter, ",", RF_SETTING_NOT_MODEL, "between fields"),
        RF_REAL(struct model_options, ratio, "0.5", -1e300, 1e300, 0, "of something"),
        RF_REAL_OR(struct model_options, pace, "auto", 0, 8, pace_words, 0, "how fast"),
        RF_VARIANT(struct model_options, scaler, NULL, learners, 0, "a second family, absent by default"),
        {0},
};

#endif
