#include "proto/nearest.h"

#include <string.h>

enum { WORD_MAX = 63 };

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

// How many letters must be added, taken away, changed or swapped with their neighbour to make one word the other: Damerau and
// Levenshtein's distance in its restricted form: no letter is edited twice. Words are cut to WORD_MAX.
static size_t edit_distance(const char *a, const char *b) {
    size_t a_size = strnlen(a, WORD_MAX);
    size_t b_size = strnlen(b, WORD_MAX);
    size_t rows[3][WORD_MAX + 1] = {{0}}; // the last three rows of the table of distances between beginnings
    for (size_t j = 0; j <= b_size; j++) {
        rows[0][j] = j;
    }
    for (size_t i = 1; i <= a_size; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3];
        const size_t *second_above = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = least(row[j], second_above[j - 2] + 1);
            }
        }
    }
    return rows[a_size % 3][b_size];
}

bool rf_is_nearer(const char *word, const char *candidate, size_t *best) {
    size_t distance = edit_distance(word, candidate);
    size_t size = least(strlen(word), strlen(candidate));
    if (size >= 3 && size == strlen(word) && !strncmp(word, candidate, size)) {
        distance = least(distance, 1); // an abbreviation
    }
    if (distance >= *best || distance > (size < 3 ? 1 : 1 + size / 4) || distance >= size) {
        return false;
    }
    *best = distance;
    return true;
}
