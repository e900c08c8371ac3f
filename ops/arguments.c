#include "ops/arguments.h"

#include "ops/config_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum rf_exit rf_exit_of(enum rf_status status) {
    switch (status) {
    case RF_OK:
    case RF_END:
        return RF_EXIT_DONE;
    case RF_INVALID:
        return RF_EXIT_USAGE;
    case RF_BUSY:
        return RF_EXIT_HELD;
    default:
        return RF_EXIT_FAILED;
    }
}

static const struct rf_flag *find_flag(const struct rf_flag *flags, const char *name, size_t size) {
    for (; flags->name; flags++) {
        if (strlen(flags->name) == size && memcmp(flags->name, name, size) == 0) {
            return flags;
        }
    }
    return NULL;
}

static enum rf_status unknown_flag(const struct rf_flag *flags, const char *word, struct rf_error *err) {
    size_t best = SIZE_MAX;
    const char *nearest = rf_is_nearer(word + 2, "set", &best) ? "set" : rf_is_nearer(word + 2, "help", &best) ? "help" : NULL;
    for (; flags->name; flags++) {
        nearest = rf_is_nearer(word + 2, flags->name, &best) ? flags->name : nearest;
    }
    return nearest ? rf_fail(err, RF_INVALID, "unknown flag %.100s, did you mean --%s?", word, nearest)
                   : rf_fail(err, RF_INVALID, "unknown flag %.100s; --help tells which there are", word);
}

static enum rf_status take_value(const struct rf_flag *flag, const char *value, struct rf_error *err) {
    if (flag->type == RF_FLAG_TEXT) {
        *(const char **)flag->target = value;
        return RF_OK;
    }
    char *end;
    errno = 0;
    unsigned long long number = strtoull(value, &end, 10);
    if (*value < '0' || *value > '9' || *end || errno) {
        return rf_fail(err, RF_INVALID, "--%s is \"%s\", must be a whole number", flag->name, value);
    }
    *(uint64_t *)flag->target = number;
    return RF_OK;
}

// Takes the flag at argv[*at]; moves *at onto its value when that stands in the next word.
static enum rf_status take_flag(int argc, char **argv, int *at, const struct rf_flag *flags, struct rf_arguments *arguments,
                                struct rf_error *err) {
    const char *word = argv[*at];
    size_t size = strcspn(word + 2, "=");
    bool is_set = size == 3 && memcmp(word + 2, "set", 3) == 0;
    const struct rf_flag *flag = find_flag(flags, word + 2, size);
    if (strcmp(word, "--help") == 0) {
        arguments->wants_help = true;
        return RF_OK;
    }
    if (!is_set && !flag) {
        return unknown_flag(flags, word, err);
    }
    if (flag && flag->type == RF_FLAG_YES) {
        if (word[2 + size]) {
            return rf_fail(err, RF_INVALID, "--%s takes no value", flag->name);
        }
        *(bool *)flag->target = true;
        return RF_OK;
    }
    const char *value = word[2 + size] ? word + 3 + size : *at + 1 < argc ? argv[++*at] : NULL;
    if (!value) {
        return rf_fail(err, RF_INVALID, "%s needs a value", word);
    }
    if (is_set) {
        arguments->sets[arguments->set_count++] = value;
        return RF_OK;
    }
    return take_value(flag, value, err);
}

enum rf_status rf_arguments_parse(int argc, char **argv, const struct rf_flag *flags, struct rf_arguments *arguments_out,
                                  struct rf_error *err) {
    struct rf_arguments arguments = {
            .files = calloc((size_t)argc + 1, sizeof(char *)),
            .sets = calloc((size_t)argc + 1, sizeof(char *)),
    };
    enum rf_status status = arguments.files && arguments.sets ? RF_OK : rf_fail(err, RF_MEMORY, "out of memory");
    bool is_over = false; // "--" was met
    for (int at = 0; at < argc && !status; at++) {
        if (!is_over && strcmp(argv[at], "--") == 0) {
            is_over = true;
        } else if (!is_over && strncmp(argv[at], "--", 2) == 0) {
            status = take_flag(argc, argv, &at, flags, &arguments, err);
        } else if (!is_over && argv[at][0] == '-' && argv[at][1]) {
            status = rf_fail(err, RF_INVALID, "unknown flag %s; flags are written with two dashes", argv[at]);
        } else {
            arguments.files[arguments.file_count++] = argv[at];
        }
    }
    if (status) {
        rf_arguments_finish(&arguments);
        return status;
    }
    *arguments_out = arguments;
    return RF_OK;
}

void rf_arguments_finish(struct rf_arguments *arguments) {
    free(arguments->files);
    free(arguments->sets);
    *arguments = (struct rf_arguments){0};
}

static void print_help(const struct rf_verb *verb, const struct rf_flag *flags) {
    printf("riffle %s %s [flags]\n\n  %s\n\n", verb->name, verb->operands, verb->summary);
    for (; flags->name; flags++) {
        char left[64];
        snprintf(left, sizeof left, "--%s%s%s", flags->name, flags->value_name ? " " : "",
                 flags->value_name ? flags->value_name : "");
        printf("  %-24s %s\n", left, flags->help);
    }
    printf("  %-24s %s\n", "--set PATH=VALUE", "lay a setting over the file; may stand several times");
    printf("  %-24s %s\n", "--help", "this text");
}

bool rf_arguments_take(const struct rf_verb *verb, int argc, char **argv, const struct rf_flag *flags,
                       struct rf_arguments *arguments_out, int *exit_out) {
    struct rf_error err;
    if (rf_arguments_parse(argc, argv, flags, arguments_out, &err)) {
        *exit_out = rf_arguments_complain(verb, &err);
        return false;
    }
    if (arguments_out->wants_help) {
        print_help(verb, flags);
        rf_arguments_finish(arguments_out);
        *exit_out = RF_EXIT_DONE;
        return false;
    }
    return true;
}

int rf_arguments_complain(const struct rf_verb *verb, const struct rf_error *err) {
    fprintf(stderr, "riffle %s: %s\n", verb->name, err->text);
    return (int)rf_exit_of(err->status);
}
