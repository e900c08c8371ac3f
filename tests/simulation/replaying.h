#ifndef RF_TESTS_REPLAYING_H
#define RF_TESTS_REPLAYING_H
// Worlds that were lived in, and replays of what happened there. A replay gets a disk that can only be read.
#include "ops/replay.h"
#include "tests/simulation/life.h"

enum { PARTITIONS = 3 };

// The models that a worker had, by the number of records folded. Those of a life stand until a later one folds otherwise.
struct past {
    uint8_t digest[FEW_RECORDS + 1][RF_SHA256_SIZE];
    bool is_known[FEW_RECORDS + 1];
};

// While a snapshot is being written, the model of a life cannot be named.
bool is_frozen(struct life *life);

// A life of so many turns, whose models are noted.
void live_noted(struct world *world, struct past *past, uint64_t turns);

// Begins a new line from a snapshot.
void roll_past_back(struct world *world, struct past *past, uint64_t number);
uint64_t oldest_snapshot(struct world *world); // its number; 0: there is none

// Lives in a world, with kills, power cuts and, if wanted, lines, up to its end.
void live_by_chance(struct world *world, struct past *past, bool has_lines);

// A small world that has been lived in.
void open_lived(struct world *world, struct past *past, uint64_t seed, bool has_lines);

struct rf_point point_of(enum rf_point_kind kind, int32_t partition, int64_t offset); // of cards

enum rf_status begin_replay(struct world *world, struct life *life, const struct rf_point *point, uint32_t line,
                            struct rf_replay **replay_out);

// A replay at its point, which it must reach.
struct rf_replay *replay_to(struct world *world, struct life *life, const struct rf_point *point, uint32_t line);
void end_replay(struct world *world, struct life *life, struct rf_replay *replay);

// It ends with a sentence that holds the words, at the beginning or on the way.
void assert_replay_refused(struct world *world, const struct rf_point *point, enum rf_status expected, const char *words);

uint64_t records_at(struct rf_replay *replay);
void digest_at(struct rf_replay *replay, uint8_t digest_out[RF_SHA256_SIZE]);

#endif
