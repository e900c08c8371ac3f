#ifndef RF_OPS_VERBS_H
#define RF_OPS_VERBS_H
// The verbs of the program, each in a file of its own (verb_*.c); ops/main.c lists them.
#include "ops/arguments.h"

int rf_verb_run(const struct rf_verb *verb, int argc, char **argv);
int rf_verb_evaluate(const struct rf_verb *verb, int argc, char **argv);
int rf_verb_check(const struct rf_verb *verb, int argc, char **argv);
int rf_verb_generate(const struct rf_verb *verb, int argc, char **argv);
int rf_verb_broker(const struct rf_verb *verb, int argc, char **argv);
int rf_verb_tail(const struct rf_verb *verb, int argc, char **argv);
int rf_verb_snapshot(const struct rf_verb *verb, int argc, char **argv);
int rf_verb_replay(const struct rf_verb *verb, int argc, char **argv);
int rf_verb_explain(const struct rf_verb *verb, int argc, char **argv);
int rf_verb_fleet(const struct rf_verb *verb, int argc, char **argv);
int rf_verb_settings(const struct rf_verb *verb, int argc, char **argv);

#endif
