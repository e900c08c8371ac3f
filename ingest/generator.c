#include "ingest/generator.h"

#include <string.h>

const struct rf_generator_kind rf_generator_kinds[] = {
        {"cards", "payments by card, 0.8 % of them fraud", rf_generator_cards_create},
        {NULL, NULL, NULL},
};

enum rf_status rf_generator_create(const struct rf_generator_options *options, struct rf_generator **generator_out,
                                   struct rf_error *err) {
    char names[256] = "";
    for (const struct rf_generator_kind *kind = rf_generator_kinds; kind->name; kind++) {
        if (strcmp(options->stream, kind->name) == 0) {
            return kind->create(options, generator_out, err);
        }
        strncat(names, names[0] ? ", " : "", sizeof names - strlen(names) - 1);
        strncat(names, kind->name, sizeof names - strlen(names) - 1);
    }
    return rf_fail(err, RF_NOT_FOUND, "stream %s is not known, must be one of %s", options->stream, names);
}

void rf_generator_destroy(struct rf_generator *generator) {
    if (generator) {
        generator->ops->destroy(generator);
    }
}

void rf_generator_next(struct rf_generator *generator, struct rf_generated *record_out) {
    generator->ops->next(generator, record_out);
}

const char *rf_generator_csv_header(const struct rf_generator *generator) {
    return generator->ops->csv_header;
}
