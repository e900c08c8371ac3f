// Arbitrary bytes as a file of settings, and after a NUL as lines of --set. What is accepted must print as what reads
// back, and have the same specification then.
#include "ops/config.h"
#include "ops/specification.h"
#include "tests/ops/config_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SETS_MAX = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_back(const struct model_options *options) {
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    if (!file) {
        abort();
    }
    rf_config_print(model_settings, options, file);
    fclose(file);

    struct model_options again = {0};
    struct rf_error err = {0};
    if (rf_config_read("printed", rf_text_of(text), NULL, 0, model_settings, &again, &err) != RF_OK) {
        fprintf(stderr, "%s\n%s\n", err.text, text);
        abort();
    }
    char *before = rf_specification_text(model_settings, options);
    char *after = rf_specification_text(model_settings, &again);
    if (!before || !after || strcmp(before, after) != 0 ||
        rf_specification_compare(before, after, model_settings, &err) != RF_SPECIFICATION_SAME) {
        fprintf(stderr, "%s\n%s\n%s\n", text, before ? before : "", after ? after : "");
        abort();
    }
    free(before);
    free(after);
    free(text);
    rf_config_finish(model_settings, &again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *copy = malloc(size + 1);
    if (!copy) {
        abort();
    }
    if (size > 0) {
        memcpy(copy, data, size);
    }
    copy[size] = '\0';
    size_t text_size = strlen(copy);
    const char *sets[SETS_MAX];
    size_t set_count = 0;
    char *rest = NULL;
    for (char *set = text_size < size ? strtok_r(copy + text_size + 1, "\n", &rest) : NULL; set && set_count < SETS_MAX;
         set = strtok_r(NULL, "\n", &rest)) {
        sets[set_count++] = set;
    }
    bool opens_files = memmem(data, size, "{file:", 6); // whatever is on this machine: not for a fuzzer
    struct model_options options = {0};
    struct rf_error err = {0};
    if (!opens_files && rf_config_read("fuzz.yaml", (struct rf_text){copy, text_size}, sets, set_count, model_settings, &options,
                                       &err) == RF_OK) {
        read_back(&options);
        rf_config_finish(model_settings, &options);
    }
    rf_specification_compare(copy, "seed = 1\nlearner = \"linear\"\nlearner.l2 = 0\n", model_settings, &err);
    free(copy);
    return 0;
}
