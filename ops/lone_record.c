#include "ops/lone_record.h"

#include "ingest/framing.h"

#include <string.h>

enum { WAIT_MS = 50, PATIENCE_MS = 8000 };

enum rf_status rf_lone_record_resolve(struct rf_decoder *decoder, const struct rf_record *record, struct rf_clock *clock,
                                      FILE *told, struct rf_error *err) {
    int64_t begun = clock->monotonic_ms(clock);
    bool is_told = false;
    for (;;) {
        int64_t now = clock->monotonic_ms(clock);
        err->text[0] = '\0';
        enum rf_status status = rf_decoder_resolve(decoder, record, now, WAIT_MS, err);
        if (status != RF_AGAIN) {
            return status;
        }
        if (now - begun > PATIENCE_MS) {
            return err->text[0] ? (err->status = RF_IO)
                                : rf_fail(err, RF_IO, "the schema registry has not answered for %d seconds", PATIENCE_MS / 1000);
        }
        if (err->text[0] && !is_told) {
            is_told = true;
            fprintf(told, "waiting for the schema of the record, up to %d seconds: %s\n", PATIENCE_MS / 1000, err->text);
            fflush(told);
        }
        clock->sleep_ms(clock, 1);
    }
}

// Whether the bytes are records with their sizes in front, and nothing else.
static bool are_delimited(struct rf_text bytes) {
    struct rf_framer framer = {.kind = RF_FRAMING_DELIMITED, .size_max = bytes.size};
    enum rf_framing_answer answer = RF_FRAMING_FOUND;
    while (bytes.size > 0 && (answer == RF_FRAMING_FOUND || answer == RF_FRAMING_PASSED)) {
        struct rf_text record;
        size_t used = 0;
        answer = rf_framing_next(&framer, bytes, true, &record, &used);
        bytes = (struct rf_text){bytes.data + used, bytes.size - used};
    }
    return bytes.size == 0 && answer == RF_FRAMING_FOUND;
}

const char *rf_lone_record_hint(const struct rf_decoder_kind *kind, struct rf_text bytes) {
    if (bytes.size >= 4 && memcmp(bytes.data, "Obj\x01", 4) == 0) {
        return "; it is an Avro container file, must be the value of one record, without the container";
    }
    if (kind->is_line_framed && bytes.size > 0 && memchr(bytes.data, '\n', bytes.size - 1)) {
        return "; it has several lines: is it the value of one record alone, without a header line?";
    }
    if (!kind->is_line_framed && !kind->is_container && bytes.size > 0 && are_delimited(bytes)) {
        return "; it reads as records with sizes in front: is it the value of one record alone, without its size?";
    }
    return "";
}
