// The card payments described in ingest/generator.h, made day by day: all payments of a day, then put in order of time.
// Amounts are whole cents from the moment they are drawn, so that writing them rounds nothing.
#include "ingest/generator.h"
#include "proto/json_text.h"
#include "proto/random.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    CUSTOMERS = 5000,
    TERMINALS = 10000,
    SIDE = 100,           // of the square all live in
    REACH = 5,            // how far a customer goes
    CELLS = SIDE / REACH, // the square is searched by cells as wide as the reach
    DAY_SECONDS = 86400,
    NOON_DEVIATION = 20000, // seconds
    AMOUNT_MEAN_MIN = 5,
    AMOUNT_MEAN_MAX = 100,
    PAYMENTS_A_DAY_MAX = 4, // of a customer, the mean
    FRAUD_CENTS = 22000,    // above: fraud
    TERMINALS_A_DAY = 2,    // compromised
    TERMINAL_DAYS = 28,
    CUSTOMERS_A_DAY = 3, // whose card leaks
    CUSTOMER_DAYS = 14,
    LEAKED_SHARE = 3, // one payment in
    LEAKED_FACTOR = 5,
    DAY_CAPACITY = 32768, // a day's payments are Poisson distributed with a mean of about 10,000
    VALUE_SIZE_MAX = 192,
};
static const int64_t first_day_ms = 1522540800000; // 2018-04-01

struct place {
    double x, y;
};

struct customer {
    struct place place;
    double amount_mean, payments_mean;
    uint32_t terminals_begin, terminals_end; // in `reachable`
    int64_t leaked_until;                    // the first day after
};

struct payment {
    uint32_t second;
    uint16_t customer, terminal;
    uint32_t cents;
    bool is_fraud;
};

struct cards {
    struct rf_generator base;
    struct rf_random random;
    enum rf_generator_format format;
    struct customer customers[CUSTOMERS];
    struct place terminals[TERMINALS];
    int64_t compromised_until[TERMINALS]; // the first day after
    uint16_t *reachable;                  // terminals, customer by customer
    int64_t day;                          // of the payments at hand; -1 before the first
    uint32_t count, next;
    struct payment drawn[DAY_CAPACITY], sorted[DAY_CAPACITY];
    uint32_t begin_of_second[DAY_SECONDS + 1];
    uint64_t transaction;
    char value[VALUE_SIZE_MAX], key[RF_JSON_NUMBER_SIZE];
};

static const struct rf_generator_ops cards_ops;

static struct cards *cards_from(struct rf_generator *self) {
    assert(self->ops == &cards_ops);
    return (struct cards *)self;
}

static double draw_between(struct cards *cards, double low, double high) {
    return low + (high - low) * rf_random_uniform(&cards->random);
}

static struct place draw_place(struct cards *cards) {
    double x = draw_between(cards, 0, SIDE);
    return (struct place){x, draw_between(cards, 0, SIDE)};
}

static int cell_of(double coordinate) {
    return (int)(coordinate / REACH);
}

static bool is_within_reach(struct place a, struct place b) {
    double x = a.x - b.x, y = a.y - b.y;
    return x * x + y * y < (double)REACH * REACH;
}

// Lists the terminals cell by cell in `list`; those of a cell lie in [begin[cell], begin[cell + 1]).
static void sort_into_cells(const struct cards *cards, uint16_t list[TERMINALS], uint32_t begin[CELLS * CELLS + 1]) {
    memset(begin, 0, (CELLS * CELLS + 1) * sizeof *begin);
    for (size_t i = 0; i < TERMINALS; i++) {
        begin[cell_of(cards->terminals[i].y) * CELLS + cell_of(cards->terminals[i].x) + 1]++;
    }
    for (size_t cell = 0; cell < CELLS * CELLS; cell++) {
        begin[cell + 1] += begin[cell];
    }
    uint32_t used[CELLS * CELLS] = {0};
    for (size_t i = 0; i < TERMINALS; i++) {
        int cell = cell_of(cards->terminals[i].y) * CELLS + cell_of(cards->terminals[i].x);
        list[begin[cell] + used[cell]++] = (uint16_t)i;
    }
}

// Those of the terminals list[from..end) that are within a customer's reach: see find_reachable().
static uint32_t find_in_cell(const struct cards *cards, struct place place, const uint16_t *list, uint32_t from, uint32_t end,
                             uint16_t *out) {
    uint32_t count = 0;
    for (uint32_t k = from; k < end; k++) {
        if (is_within_reach(place, cards->terminals[list[k]])) {
            if (out) {
                out[count] = list[k];
            }
            count++;
        }
    }
    return count;
}

// Appends the terminals within a customer's reach to `out`, when it is not NULL; returns how many there are.
static uint32_t find_reachable(const struct cards *cards, struct place place, const uint16_t *list, const uint32_t *begin,
                               uint16_t *out) {
    uint32_t count = 0;
    for (int row = cell_of(place.y) - 1; row <= cell_of(place.y) + 1; row++) {
        for (int column = cell_of(place.x) - 1; column <= cell_of(place.x) + 1; column++) {
            if (row >= 0 && row < CELLS && column >= 0 && column < CELLS) {
                int cell = row * CELLS + column;
                count += find_in_cell(cards, place, list, begin[cell], begin[cell + 1], out ? out + count : NULL);
            }
        }
    }
    return count;
}

static enum rf_status populate(struct cards *cards, struct rf_error *err) {
    for (size_t i = 0; i < CUSTOMERS; i++) {
        struct customer *customer = &cards->customers[i];
        customer->place = draw_place(cards);
        customer->amount_mean = draw_between(cards, AMOUNT_MEAN_MIN, AMOUNT_MEAN_MAX);
        customer->payments_mean = draw_between(cards, 0, PAYMENTS_A_DAY_MAX);
    }
    for (size_t i = 0; i < TERMINALS; i++) {
        cards->terminals[i] = draw_place(cards);
    }
    uint16_t list[TERMINALS];
    uint32_t begin[CELLS * CELLS + 1];
    sort_into_cells(cards, list, begin);
    uint32_t total = 0;
    for (size_t i = 0; i < CUSTOMERS; i++) {
        struct customer *customer = &cards->customers[i];
        customer->terminals_begin = total;
        total += find_reachable(cards, customer->place, list, begin, NULL);
        customer->terminals_end = total;
    }
    cards->reachable = malloc((total + 1) * sizeof *cards->reachable);
    if (!cards->reachable) {
        return rf_fail(err, RF_MEMORY, "out of memory for a stream of card payments");
    }
    for (size_t i = 0; i < CUSTOMERS; i++) {
        find_reachable(cards, cards->customers[i].place, list, begin, cards->reachable + cards->customers[i].terminals_begin);
    }
    return RF_OK;
}

// Some of the customers and terminals fall into the hands of fraudsters.
static void compromise(struct cards *cards) {
    uint64_t drawn[TERMINALS_A_DAY + CUSTOMERS_A_DAY];
    for (size_t i = 0; i < TERMINALS_A_DAY; i++) {
        do {
            drawn[i] = rf_random_below(&cards->random, TERMINALS);
        } while (i > 0 && drawn[i] == drawn[0]); // TERMINALS_A_DAY is 2
        cards->compromised_until[drawn[i]] = cards->day + TERMINAL_DAYS;
    }
    for (size_t i = 0; i < CUSTOMERS_A_DAY; i++) {
        do {
            drawn[i] = rf_random_below(&cards->random, CUSTOMERS);
        } while ((i > 0 && drawn[i] == drawn[0]) || (i > 1 && drawn[i] == drawn[1]));
        cards->customers[drawn[i]].leaked_until = cards->day + CUSTOMER_DAYS;
    }
}

static uint32_t draw_cents(struct cards *cards, const struct customer *customer) {
    double amount = customer->amount_mean + customer->amount_mean / 2 * rf_random_normal(&cards->random);
    if (amount < 0) {
        amount = draw_between(cards, 0, 2 * customer->amount_mean);
    }
    return (uint32_t)(amount * 100 + 0.5);
}

// Draws one payment; false when it would not lie within the day, or there is no terminal near.
static bool draw_payment(struct cards *cards, size_t index, struct payment *payment) {
    const struct customer *customer = &cards->customers[index];
    double second = DAY_SECONDS / 2.0 + NOON_DEVIATION * rf_random_normal(&cards->random);
    uint32_t near = customer->terminals_end - customer->terminals_begin;
    if (second < 1 || second >= DAY_SECONDS || near == 0) {
        return false;
    }
    uint32_t cents = draw_cents(cards, customer);
    uint16_t terminal = cards->reachable[customer->terminals_begin + rf_random_below(&cards->random, near)];
    bool is_fraud = cents > FRAUD_CENTS || cards->day < cards->compromised_until[terminal];
    if (cards->day < customer->leaked_until && rf_random_below(&cards->random, LEAKED_SHARE) == 0) {
        cents *= LEAKED_FACTOR;
        is_fraud = true;
    }
    *payment = (struct payment){(uint32_t)second, (uint16_t)index, terminal, cents, is_fraud};
    return true;
}

// Puts the day's payments in order of time; those of the same second keep the order of customers (a counting sort).
static void sort_day(struct cards *cards) {
    uint32_t *begin = cards->begin_of_second;
    memset(begin, 0, sizeof cards->begin_of_second);
    for (uint32_t i = 0; i < cards->count; i++) {
        begin[cards->drawn[i].second + 1]++;
    }
    for (size_t second = 0; second < DAY_SECONDS; second++) {
        begin[second + 1] += begin[second];
    }
    for (uint32_t i = 0; i < cards->count; i++) {
        cards->sorted[begin[cards->drawn[i].second]++] = cards->drawn[i];
    }
}

static void make_day(struct cards *cards) {
    cards->day++;
    cards->count = 0;
    cards->next = 0;
    compromise(cards);
    for (size_t i = 0; i < CUSTOMERS; i++) {
        uint32_t payments = rf_random_poisson(&cards->random, cards->customers[i].payments_mean);
        for (uint32_t k = 0; k < payments && cards->count < DAY_CAPACITY; k++) {
            cards->count += draw_payment(cards, i, &cards->drawn[cards->count]);
        }
    }
    sort_day(cards);
}

static char *write_text(char *to, const char *text) {
    size_t size = strlen(text);
    memcpy(to, text, size);
    return to + size;
}

static char *write_number(char *to, uint64_t number) {
    return to + rf_json_write_count(number, to);
}

static void cards_next(struct rf_generator *self, struct rf_generated *record_out) {
    static const char *const json[] = {
            "{\"transaction\":", ",\"at\":", ",\"customer\":", ",\"terminal\":", ",\"amount\":", ",\"fraud\":", "}"};
    static const char *const csv[] = {"", ",", ",", ",", ",", ",", ""};
    struct cards *cards = cards_from(self);
    while (cards->next == cards->count) {
        make_day(cards);
    }
    const struct payment *payment = &cards->sorted[cards->next++];
    const char *const *between = cards->format == RF_GENERATE_JSON ? json : csv;
    int64_t time_ms = first_day_ms + (cards->day * DAY_SECONDS + payment->second) * 1000;
    char *end = write_number(write_text(cards->value, between[0]), cards->transaction++);
    end = write_number(write_text(end, between[1]), (uint64_t)time_ms);
    end = write_number(write_text(end, between[2]), payment->customer);
    end = write_number(write_text(end, between[3]), payment->terminal);
    end = write_number(write_text(end, between[4]), payment->cents / 100);
    *end++ = '.';
    *end++ = (char)('0' + payment->cents / 10 % 10);
    *end++ = (char)('0' + payment->cents % 10);
    end = write_number(write_text(end, between[5]), payment->is_fraud);
    end = write_text(end, between[6]);
    char *key_end = write_number(cards->key, payment->customer);
    *record_out = (struct rf_generated){
            .value = {cards->value, (size_t)(end - cards->value)},
            .key = {cards->key, (size_t)(key_end - cards->key)},
            .time_ms = time_ms,
    };
}

static void cards_destroy(struct rf_generator *self) {
    struct cards *cards = cards_from(self);
    free(cards->reachable);
    free(cards);
}

static const struct rf_generator_ops cards_ops = {
        .csv_header = "transaction,at,customer,terminal,amount,fraud",
        .next = cards_next,
        .destroy = cards_destroy,
};

enum rf_status rf_generator_cards_create(const struct rf_generator_options *options, struct rf_generator **generator_out,
                                         struct rf_error *err) {
    struct cards *cards = calloc(1, sizeof *cards);
    if (!cards) {
        return rf_fail(err, RF_MEMORY, "out of memory for a stream of card payments");
    }
    cards->base.ops = &cards_ops;
    cards->format = options->format;
    cards->day = -1;
    rf_random_init(&cards->random, options->seed);
    enum rf_status status = populate(cards, err);
    if (status) {
        cards_destroy(&cards->base);
        return status;
    }
    *generator_out = &cards->base;
    return RF_OK;
}
