#include "ops/config.h"
#include "ops/settings.h"
#include "ops/verbs.h"

int rf_verb_settings(const struct rf_verb *verb, int argc, char **argv) {
    bool wants_markdown = false;
    const struct rf_flag flags[] = {
            {"markdown", RF_FLAG_YES, &wants_markdown, NULL, "docs/SETTINGS.md"},
            {NULL, RF_FLAG_YES, NULL, NULL, NULL},
    };
    struct rf_arguments arguments;
    int code;
    if (!rf_arguments_take(verb, argc, argv, flags, &arguments, &code)) {
        return code;
    }
    struct rf_error err;
    enum rf_status status = arguments.file_count > 1
                                    ? rf_fail(&err, RF_INVALID, "takes one settings file, %zu are given", arguments.file_count)
                                    : RF_OK;
    if (!status && arguments.file_count) {
        struct rf_settings settings;
        status = rf_settings_load(arguments.files[0], arguments.sets, arguments.set_count, &settings, &err);
        if (!status) {
            rf_config_print(rf_settings_table, &settings, stdout);
            rf_settings_finish(&settings);
        }
    } else if (!status && wants_markdown) {
        rf_settings_markdown(stdout);
    } else if (!status) {
        rf_config_help(rf_settings_table, stdout);
    }
    rf_arguments_finish(&arguments);
    return status ? rf_arguments_complain(verb, &err) : RF_EXIT_DONE;
}
