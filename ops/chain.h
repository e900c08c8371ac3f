#ifndef RF_OPS_CHAIN_H
#define RF_OPS_CHAIN_H
// The chain of snapshots: for each that was ever in place its header and its SHA-256, kept when the snapshot itself is thinned
// out. Each header holds the SHA-256 of the snapshot it grew from, so that the past of a model can be checked link by link.
//
//     <folder>/chain-<number of its first snapshot, 20 digits>.log
//     "RIFFCHN" 0x01, then frames (ops/frame.h)
//     contents: SHA-256 of the snapshot, then its HEAD section (proto/snapshot.h); a specification that is the one of the
//               link before it in the file is left out
//
// A frame that does not verify ends the segment.
#include "ops/disk.h"
#include "proto/snapshot.h"

#include <stdbool.h>

struct rf_chain;

struct rf_chain_link {
    struct rf_snapshot_header header;
    uint8_t sha256[RF_SHA256_SIZE];
};

// Calls `visit` for each link, oldest first; the link is lent. RF_CORRUPT, in words, when a segment does not hold links, or a
// frame inside it does not verify (the last frame of one may be torn).
typedef enum rf_status rf_chain_visit(void *context, const struct rf_chain_link *link, struct rf_error *err);
enum rf_status rf_chain_each(struct rf_disk *disk, const char *folder, rf_chain_visit *visit, void *context,
                             struct rf_error *err) RF_MUST_USE;

// Opens the chain of a state folder to extend it, and calls `visit` (NULL: nobody) for the links it reads on the way. Damage does
// not keep it from being extended: what was read up to there counts. What `visit` fails with, never RF_CORRUPT, ends the call.
enum rf_status rf_chain_open(struct rf_disk *disk, const char *folder, rf_chain_visit *visit, void *context,
                             struct rf_chain **chain_out, struct rf_error *err) RF_MUST_USE;
void rf_chain_close(struct rf_chain *chain);

const char *rf_chain_damage(const struct rf_chain *chain); // the sentence, "" when there is none
uint64_t rf_chain_number(const struct rf_chain *chain);    // of the last link; 0: there is none
uint32_t rf_chain_line(const struct rf_chain *chain);      // the highest of any link; 0: there is none

// Puts a snapshot on record, on disk when the call returns. Passed over when its number is on record already.
enum rf_status rf_chain_append(struct rf_chain *chain, const struct rf_snapshot_header *header,
                               const uint8_t sha256[RF_SHA256_SIZE], struct rf_error *err) RF_MUST_USE;

// Walks the chain and the snapshots that are there. RF_CORRUPT names the first link that is broken: a snapshot that grew from
// one that is not on record, whose bytes are not those on record, or that is not on record itself though it is not the newest.
struct rf_chain_report {
    uint64_t links, lines, snapshots; // on record; lines among them; files that are there
    uint64_t first, last;             // numbers
    uint64_t passed_over;             // snapshots from which none grew, though later ones of their line exist
};
enum rf_status rf_chain_verify(struct rf_disk *disk, const char *folder, struct rf_chain_report *report_out,
                               struct rf_error *err) RF_MUST_USE;

#endif
