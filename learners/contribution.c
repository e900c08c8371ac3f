#include "learners/contribution.h"

#include <math.h>
#include <string.h>

void rf_contribution_insert(struct rf_contribution *list, size_t capacity, size_t *count, struct rf_contribution contribution) {
    size_t place = *count;
    while (place > 0 && fabs(list[place - 1].amount) < fabs(contribution.amount)) {
        place--;
    }
    if (place == capacity) {
        return;
    }
    *count += *count < capacity;
    memmove(list + place + 1, list + place, (*count - place - 1) * sizeof *list);
    list[place] = contribution;
}
