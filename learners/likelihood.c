#include "learners/likelihood.h"
#include "learners/contribution.h"

unsigned rf_likelihood_row_bits(uint64_t fields_max) {
    unsigned row_bits = 1;
    while ((uint64_t)1 << row_bits < 2 * fields_max) {
        row_bits++;
    }
    return row_bits;
}

void rf_likelihood_contribute(const struct rf_examples *examples, size_t feature, double amount, struct rf_reasons *reasons) {
    double value = rf_bayes_bounded(examples->value[feature]);
    double weight = amount / value;
    reasons->count++;
    rf_contribution_insert(reasons->list, reasons->capacity, &reasons->kept,
                           (struct rf_contribution){
                                   .field = examples->field[feature],
                                   .hash = examples->hash[feature],
                                   .value = value,
                                   .weight = weight - weight == 0 ? weight : 0, // not of a value of 0, or next to it
                                   .amount = amount,
                           });
}
