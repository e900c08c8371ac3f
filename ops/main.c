#include "ops/config_internal.h"
#include "ops/verbs.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct rf_verb verbs[] = {
        {"run", "FILE.yaml...", "learn from the source and publish predictions and snapshots", rf_verb_run},
        {"evaluate", "FILE.yaml", "the same over a file, at once: predict, score, then learn; without Kafka and without saving",
         rf_verb_evaluate},
        {"check", "FILE.yaml...", "tell what is wrong with settings, and with --connect with the world around them",
         rf_verb_check},
        {"generate", "[FILE.yaml]", "write a seeded stream of records to a file, standard output or the source's topic",
         rf_verb_generate},
        {"broker", "[TOPIC[:PARTITIONS]]...", "an embedded Kafka broker for trying out, until it is stopped", rf_verb_broker},
        {"tail", "FILE.yaml | ENDPOINT", "print the predictions that a running worker publishes over ZeroMQ", rf_verb_tail},
        {"snapshot", "(list | show | verify) (FILE.yaml | FOLDER | FILE)... | export FILE.yaml | rollback FILE.yaml NUMBER",
         "look at snapshots and the chain they form; write out weights; go back to an old one", rf_verb_snapshot},
        {"replay", "FILE.yaml", "fold the past again, up to any record or time: the model as it was then", rf_verb_replay},
        {"explain", "FILE.yaml TOPIC:PARTITION:OFFSET", "give a past prediction again, and what each feature contributed to it",
         rf_verb_explain},
        {"fleet", "FILE.yaml", "how a fleet of workers that share a model stands", rf_verb_fleet},
        {"settings", "[FILE.yaml]", "every setting there is, or those in force for a file", rf_verb_settings},
        {NULL, NULL, NULL, NULL},
};

static void print_usage(FILE *to) {
    fprintf(to, "riffle " RF_RELEASE
                ": learns from every record of a stream\n\n  riffle VERB [FILE.yaml...] [--set PATH=VALUE]... [flags]\n\n");
    for (const struct rf_verb *verb = verbs; verb->name; verb++) {
        fprintf(to, "  %-10s %s\n", verb->name, verb->summary);
    }
    fprintf(to, "\n`riffle VERB --help` tells the flags of a verb; docs/SETTINGS.md all settings.\n"
                "Exit codes: 0 done, 1 failed while running, 2 wrong usage or settings, 3 another worker holds the model,\n"
                "4 the log of deltas and this worker do not go together.\n");
}

static int unknown_verb(const char *word) {
    const char *nearest = NULL;
    size_t best = SIZE_MAX;
    for (const struct rf_verb *verb = verbs; verb->name; verb++) {
        nearest = rf_is_nearer(word, verb->name, &best) ? verb->name : nearest;
    }
    fprintf(stderr, "riffle: unknown verb \"%.100s\"", word);
    if (nearest) {
        fprintf(stderr, ", did you mean \"%s\"?\n", nearest);
    } else {
        fprintf(stderr, "; riffle --help tells which there are\n");
    }
    return RF_EXIT_USAGE;
}

// Descriptors 0 to 2 that the caller closed would be given to files, which then got what is meant for people.
static void fill_standard_descriptors(void) {
    int descriptor;
    do {
        descriptor = open("/dev/null", O_RDWR);
    } while (descriptor >= 0 && descriptor <= STDERR_FILENO);
    if (descriptor >= 0) {
        close(descriptor);
    }
}

// Runs the verb. What it could not print is a failure too.
static int run_verb(const struct rf_verb *verb, int argc, char **argv) {
    int code = verb->run(verb, argc, argv);
    if (code == RF_EXIT_DONE && (fflush(stdout) || ferror(stdout))) {
        fprintf(stderr, "riffle %s: cannot write all of the output\n", verb->name);
        return RF_EXIT_FAILED;
    }
    return code;
}

int main(int argc, char **argv) {
    fill_standard_descriptors();
    signal(SIGPIPE, SIG_IGN); // a reader that leaves shows as a failed write,
    signal(SIGXFSZ, SIG_IGN); // and so does a file that may not grow
    if (argc < 2) {
        print_usage(stderr);
        return RF_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        print_usage(stdout);
        return fflush(stdout) ? RF_EXIT_FAILED : RF_EXIT_DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("riffle " RF_RELEASE "\n");
        return RF_EXIT_DONE;
    }
    for (const struct rf_verb *verb = verbs; verb->name; verb++) {
        if (strcmp(argv[1], verb->name) == 0) {
            return run_verb(verb, argc - 2, argv + 2);
        }
    }
    return unknown_verb(argv[1]);
}
