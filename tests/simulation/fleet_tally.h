#ifndef RF_TESTS_FLEET_TALLY_H
#define RF_TESTS_FLEET_TALLY_H
// A sink that remembers the predictions of one life of a worker, and which of them were taken back.
#include "sinks/sink.h"

struct fleet_tally {
    struct fleet_given {
        uint32_t line, epoch;
        uint64_t since;
        int32_t partition;
        int64_t offset;
        double score;
        bool is_void;
    } * list; // [count]
    size_t count, capacity;
};

// The tally outlives the sink.
struct rf_sink *fleet_tally_sink(struct fleet_tally *tally);
void fleet_tally_destroy(struct fleet_tally *tally);

#endif
