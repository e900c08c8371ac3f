#ifndef RF_INGEST_FRAMING_H
#define RF_INGEST_FRAMING_H
#include "ingest/csv_dialect.h"
#include "proto/text.h"

#include <stdbool.h>
#include <stdint.h>

// Finds where records begin and end in a stream of bytes that arrives in pieces.
enum rf_framing_kind {
    RF_FRAMING_LINES,     // ended by \n or \r\n
    RF_FRAMING_CSV,       // lines, but a quoted field may hold line ends
    RF_FRAMING_DELIMITED, // a varint size before each record
};

struct rf_framer {
    enum rf_framing_kind kind;
    struct rf_csv_dialect csv;
    uint64_t size_max; // of a record; a longer one is found cut to this size + 1 bytes
    // Of the record that is being looked for:
    size_t scanned; // its bytes known to hold no end
    int csv_state;
    bool is_skipping;   // it was found, cut: what is left of it is passed over
    uint64_t skip_size; // delimited: how much that is
};

enum rf_framing_answer {
    RF_FRAMING_FOUND,  // *record_out is a record
    RF_FRAMING_PASSED, // bytes without a record (a blank line, the rest of one that was cut)
    RF_FRAMING_MORE,   // more bytes are needed; call again with the same bytes and those after them
    RF_FRAMING_BROKEN, // delimited: this is no size
};

// Looks at `bytes`, which begin where the last record ended. FOUND and PASSED: go on after *used_out bytes. With `is_last`
// nothing comes after `bytes`: what is left without a line end is a record too (a delimited record that is cut stays MORE).
// Never asks for more than size_max + RF_FRAMING_ROOM bytes at once.
enum { RF_FRAMING_ROOM = 16 };
enum rf_framing_answer rf_framing_next(struct rf_framer *framing, struct rf_text bytes, bool is_last, struct rf_text *record_out,
                                       size_t *used_out);

#endif
