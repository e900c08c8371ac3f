#include "ops/explain.h"
#include "ops/rebuild.h"
#include "ops/verbs.h"

#include <stdio.h>

static enum rf_status explain(const struct rf_rebuild *rebuild, bool wants_json, struct rf_error *err) {
    uint8_t digest[RF_SHA256_SIZE];
    struct rf_explanation explanation;
    rf_assembly_model_sha256(&rebuild->assembly, rf_replay_pipeline(rebuild->replay), digest);
    enum rf_status status = rf_explanation_init(rebuild->replay, digest, &explanation, err);
    if (status) {
        return status;
    }
    if (wants_json) {
        status = rf_explanation_json(&explanation, stdout, err);
    } else {
        rf_explanation_table(&explanation, stdout);
    }
    rf_explanation_finish(&explanation);
    return status;
}

static enum rf_status read_point(const struct rf_arguments *arguments, struct rf_point *point, struct rf_error *err) {
    if (arguments->file_count != 2) {
        return rf_fail(err, RF_INVALID, "takes a settings file and TOPIC:PARTITION:OFFSET, %zu are given", arguments->file_count);
    }
    enum rf_status status = rf_point_read(arguments->files[1], point, err);
    if (status || point->kind != RF_POINT_AFTER) {
        return rf_fail(err, RF_INVALID, "\"%.200s\" names no record, give TOPIC:PARTITION:OFFSET", arguments->files[1]);
    }
    point->kind = RF_POINT_BEFORE;
    return RF_OK;
}

int rf_verb_explain(const struct rf_verb *verb, int argc, char **argv) {
    bool wants_json = false;
    struct rf_rebuild_options options = {.verb = verb->name};
    const struct rf_flag flags[] = {
            {"line", RF_FLAG_UINT, &options.line, "N",
             "the line of the prediction, where rollbacks began new ones; else the newest"},
            {"json", RF_FLAG_YES, &wants_json, NULL, "one JSON object on one line"},
            {NULL, RF_FLAG_YES, NULL, NULL, NULL},
    };
    struct rf_arguments arguments;
    int code;
    if (!rf_arguments_take(verb, argc, argv, flags, &arguments, &code)) {
        return code;
    }
    struct rf_error err;
    struct rf_rebuild rebuild;
    enum rf_status status = read_point(&arguments, &options.point, &err);
    if (!status) {
        options.path = arguments.files[0];
        options.sets = arguments.sets;
        options.set_count = arguments.set_count;
        status = rf_rebuild_init(&options, &rebuild, &err);
    }
    if (!status) {
        status = explain(&rebuild, wants_json, &err);
        rf_rebuild_finish(&rebuild);
    }
    rf_arguments_finish(&arguments);
    return status ? rf_arguments_complain(verb, &err) : RF_EXIT_DONE;
}
