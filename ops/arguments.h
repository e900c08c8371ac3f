#ifndef RF_OPS_ARGUMENTS_H
#define RF_OPS_ARGUMENTS_H
// The command line: `riffle VERB FILE.yaml... [--set path.to.key=value]... [flags of the verb]`.
#include "proto/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// What the program ends with. docs/SETTINGS.md and README tell.
enum rf_exit {
    RF_EXIT_DONE = 0,
    RF_EXIT_FAILED = 1, // failed while running; a restart may help
    RF_EXIT_USAGE = 2,  // wrong usage or settings
    RF_EXIT_HELD = 3,   // another worker holds the model or its folder: do not restart
    RF_EXIT_BROKEN = 4, // the log of deltas of a fleet and this worker do not go together: do not restart
};

enum rf_exit rf_exit_of(enum rf_status status);

enum rf_flag_type { RF_FLAG_YES, RF_FLAG_TEXT, RF_FLAG_UINT };

struct rf_flag {
    const char *name; // without dashes
    enum rf_flag_type type;
    void *target;           // bool *, const char ** or uint64_t *
    const char *value_name; // for the help, e.g. "FILE"; NULL for RF_FLAG_YES
    const char *help;
};

struct rf_arguments {
    const char **files; // what is not a flag, [file_count]
    size_t file_count;
    const char **sets; // of --set, [set_count]
    size_t set_count;
    bool wants_help;
};

// One verb of the program.
struct rf_verb {
    const char *name;
    const char *operands;                                          // e.g. "FILE.yaml..."
    const char *summary;                                           // one line
    int (*run)(const struct rf_verb *verb, int argc, char **argv); // argv[0] is the first word behind the verb
};

// Reads flags ([flags] ends with a row without name), `--set` and `--help`. RF_INVALID, in words, for what is not known, with
// the nearest flag. Texts are borrowed from argv.
enum rf_status rf_arguments_parse(int argc, char **argv, const struct rf_flag *flags, struct rf_arguments *arguments_out,
                                  struct rf_error *err) RF_MUST_USE;
void rf_arguments_finish(struct rf_arguments *arguments);

// Parses, and answers --help and mistakes by itself: true when the verb shall go on, else *exit_out is what to end with.
bool rf_arguments_take(const struct rf_verb *verb, int argc, char **argv, const struct rf_flag *flags,
                       struct rf_arguments *arguments_out, int *exit_out);

// Prints "riffle VERB: sentence" to standard error and returns the exit code for the status.
int rf_arguments_complain(const struct rf_verb *verb, const struct rf_error *err);

#endif
