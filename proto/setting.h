#ifndef RF_PROTO_SETTING_H
#define RF_PROTO_SETTING_H
// Settings as tables. One row parses, checks, prints `--help` and writes docs/SETTINGS.md. A folder declares the rows
// of what it owns; ops/config reads YAML into the structs they describe.
#include "proto/status.h"

#include <stddef.h>
#include <stdint.h>

enum rf_setting_type {
    RF_TYPE_BOOL,        // bool
    RF_TYPE_UINT,        // uint64_t, within [min, max]
    RF_TYPE_REAL,        // double, within [min, max], finite; or the one word in `choices`, which is NaN
    RF_TYPE_TEXT,        // char *, NULL when absent
    RF_TYPE_TEXTS,       // struct rf_texts
    RF_TYPE_REALS,       // struct rf_reals, each within [min, max], finite
    RF_TYPE_TEXT_LISTS,  // struct rf_text_lists: a list of lists of texts
    RF_TYPE_NAMED_TEXTS, // struct rf_named_texts: free names, each with a list of texts
    RF_TYPE_CHOICE,      // int: index into `choices`
    RF_TYPE_SECTION,     // a struct in place, described by `section`
    RF_TYPE_SECTIONS,    // struct rf_sections: a list of structs, each described by `section`
    RF_TYPE_PAIRS,       // struct rf_pairs: free names with text values, passed through (librdkafka's properties)
    RF_TYPE_VARIANT,     // struct rf_variant_value; `{type: NAME, ...}` or just `NAME`
    RF_TYPE_VARIANTS,    // struct rf_variant_values; a list of `NAME: {...}`
};

enum rf_setting_flags {
    RF_SETTING_REQUIRED = 1,
    RF_SETTING_NOT_MODEL = 2, // not part of the specification: it does not change what is learned
    RF_SETTING_GROWS = 4,     // a list that may gain members between runs without breaking the model
    RF_SETTING_SECRET = 8,    // masked where settings are shown
    RF_SETTING_APART = 16,    // with RF_SETTING_GROWS: the list may also gain its first member, whatever its section holds
};

struct rf_texts {
    char **list;
    size_t count;
};

struct rf_reals {
    double *list;
    size_t count;
};

struct rf_text_lists {
    struct rf_texts *list;
    size_t count;
};

struct rf_named_texts {
    struct rf_named_text {
        char *name;
        struct rf_texts texts;
    } * list; // in the order of the file, no name twice
    size_t count;
};

struct rf_sections {
    void *list; // [count] of section_size bytes each
    size_t count;
};

struct rf_pair {
    char *name, *value;
    size_t line; // in the file, for sentences; 0: from --set
};

struct rf_pairs {
    struct rf_pair *list;
    size_t count;
};

struct rf_setting {
    enum rf_setting_type type;
    const char *name;
    size_t offset;                     // into the struct the table describes
    const char *fallback;              // the default, as written in YAML; NULL: absent (texts and lists are then empty)
    double min, max;                   // RF_TYPE_UINT, RF_TYPE_REAL and RF_TYPE_REALS, both included
    const char *const *choices;        // NULL-terminated; RF_TYPE_CHOICE, and RF_TYPE_REAL where a word will do as well
    const struct rf_setting *section;  // ends with a row without name; RF_TYPE_SECTION and RF_TYPE_SECTIONS
    size_t section_size;               // of the struct that `section` describes; RF_TYPE_SECTIONS
    const struct rf_variant *variants; // ends with a row without name; RF_TYPE_VARIANT and RF_TYPE_VARIANTS
    unsigned flags;                    // enum rf_setting_flags
    const char *help;                  // one line, no capital, no full stop
};

// One kind of a family, with its own settings: a learner, an optimizer, a sink.
struct rf_variant {
    const char *name;
    const char *summary; // one line
    const struct rf_setting *settings;
    size_t options_size;      // of the struct that `settings` describe
    const void *registration; // what the family needs to make one, e.g. struct rf_learner_kind
};

struct rf_variant_value {
    const struct rf_variant *kind; // NULL when absent
    void *options;                 // [kind->options_size]
};

struct rf_variant_values {
    struct rf_variant_value *list;
    size_t count;
};

#define RF_BOOL(type_, field_, fallback_, flags_, help_)                                                                  \
    {                                                                                                                     \
        .type = RF_TYPE_BOOL, .name = #field_, .offset = offsetof(type_, field_), .fallback = fallback_, .flags = flags_, \
        .help = help_                                                                                                     \
    }
#define RF_UINT(type_, field_, fallback_, min_, max_, flags_, help_)                                                  \
    {                                                                                                                 \
        .type = RF_TYPE_UINT, .name = #field_, .offset = offsetof(type_, field_), .fallback = fallback_, .min = min_, \
        .max = max_, .flags = flags_, .help = help_                                                                   \
    }
#define RF_REAL(type_, field_, fallback_, min_, max_, flags_, help_)                                                  \
    {                                                                                                                 \
        .type = RF_TYPE_REAL, .name = #field_, .offset = offsetof(type_, field_), .fallback = fallback_, .min = min_, \
        .max = max_, .flags = flags_, .help = help_                                                                   \
    }
// A number, or the word of `words_`, as in {"auto", NULL}: the value is then NaN.
#define RF_REAL_OR(type_, field_, fallback_, min_, max_, words_, flags_, help_)                                       \
    {                                                                                                                 \
        .type = RF_TYPE_REAL, .name = #field_, .offset = offsetof(type_, field_), .fallback = fallback_, .min = min_, \
        .max = max_, .choices = words_, .flags = flags_, .help = help_                                                \
    }
#define RF_TEXT(type_, field_, fallback_, flags_, help_)                                                                  \
    {                                                                                                                     \
        .type = RF_TYPE_TEXT, .name = #field_, .offset = offsetof(type_, field_), .fallback = fallback_, .flags = flags_, \
        .help = help_                                                                                                     \
    }
#define RF_TEXTS(type_, field_, flags_, help_) \
    { .type = RF_TYPE_TEXTS, .name = #field_, .offset = offsetof(type_, field_), .flags = flags_, .help = help_ }
#define RF_REALS(type_, field_, min_, max_, flags_, help_)                                                                    \
    {                                                                                                                         \
        .type = RF_TYPE_REALS, .name = #field_, .offset = offsetof(type_, field_), .min = min_, .max = max_, .flags = flags_, \
        .help = help_                                                                                                         \
    }
#define RF_TEXT_LISTS(type_, field_, flags_, help_) \
    { .type = RF_TYPE_TEXT_LISTS, .name = #field_, .offset = offsetof(type_, field_), .flags = flags_, .help = help_ }
#define RF_NAMED_TEXTS(type_, field_, flags_, help_) \
    { .type = RF_TYPE_NAMED_TEXTS, .name = #field_, .offset = offsetof(type_, field_), .flags = flags_, .help = help_ }
#define RF_CHOICE(type_, field_, fallback_, choices_, flags_, help_)                                                            \
    {                                                                                                                           \
        .type = RF_TYPE_CHOICE, .name = #field_, .offset = offsetof(type_, field_), .fallback = fallback_, .choices = choices_, \
        .flags = flags_, .help = help_                                                                                          \
    }
#define RF_SECTION(type_, field_, section_, flags_, help_)                                                                 \
    {                                                                                                                      \
        .type = RF_TYPE_SECTION, .name = #field_, .offset = offsetof(type_, field_), .section = section_, .flags = flags_, \
        .help = help_                                                                                                      \
    }
#define RF_SECTIONS(type_, field_, member_type_, section_, flags_, help_)                                  \
    {                                                                                                      \
        .type = RF_TYPE_SECTIONS, .name = #field_, .offset = offsetof(type_, field_), .section = section_, \
        .section_size = sizeof(member_type_), .flags = flags_, .help = help_                               \
    }
#define RF_PAIRS(type_, field_, flags_, help_) \
    { .type = RF_TYPE_PAIRS, .name = #field_, .offset = offsetof(type_, field_), .flags = flags_, .help = help_ }
#define RF_VARIANT(type_, field_, fallback_, variants_, flags_, help_)                                      \
    {                                                                                                       \
        .type = RF_TYPE_VARIANT, .name = #field_, .offset = offsetof(type_, field_), .fallback = fallback_, \
        .variants = variants_, .flags = flags_, .help = help_                                               \
    }
#define RF_VARIANTS(type_, field_, variants_, flags_, help_)                                                                  \
    {                                                                                                                         \
        .type = RF_TYPE_VARIANTS, .name = #field_, .offset = offsetof(type_, field_), .variants = variants_, .flags = flags_, \
        .help = help_                                                                                                         \
    }

#endif
