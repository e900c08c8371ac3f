#ifndef RF_TESTS_PLAY_H
#define RF_TESTS_PLAY_H
// A play: acts in an order that chance decides, on a world that outlives the workers in it, and what must hold whenever a life
// has ended (at rest) and when the log has been read to its end. Acts and invariants are rows of two tables: who adds a part to
// the program adds what can befall it, and what must hold of it.
#include "tests/simulation/life.h"
#include "tests/simulation/thinning.h"

// Sanitizers are slow: their builds do the n-th part.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SLOWNESS = 10 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
enum { SLOWNESS = 10 };
#else
enum { SLOWNESS = 1 };
#endif
#else
enum { SLOWNESS = 1 };
#endif

struct play {
    struct world world;
    struct life life;
    struct thinning thinning;
    bool is_alive;
    bool has_excuse; // for this life to fail: something was done to its disk
    uint64_t acts, lives, rollbacks;
};

struct act {
    const char *name;
    unsigned weight;
    void (*run)(struct play *play);
};
extern const struct act acts[]; // ends with a row without a name

struct invariant {
    const char *claim;
    void (*at_rest)(struct play *play); // NULL: nothing can be said then
    void (*at_end)(struct play *play);  // the life has ended well; it is still there to be looked at
};
extern const struct invariant invariants[]; // ends with a row without a claim

// Gives birth where there is no life. False when that failed, for which there must be an excuse.
bool have_life(struct play *play);

// Turns, at most so many. The life is buried when it ends by itself, for which there must be an excuse too.
void go_on(struct play *play, uint64_t turns);

void end_life(struct play *play); // as kill -9 does

// As `riffle snapshot rollback` does, while nobody lives.
enum rf_status roll_back(struct play *play, uint64_t number, struct rf_error *err);

// Another rule by which snapshots are thinned out, from the next life on.
void draw_retention(struct play *play);

// All invariants.
void assert_at_rest(struct play *play);
void assert_at_end(struct play *play);

#endif
