#include "proto/state.h"
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

struct weight {
    float weight, gradient;
};
static const struct rf_column weight_columns[] = {
        {"weight", RF_F32, 0, 1, RF_MERGE_DECAYED},
        {"gradient", RF_F32, 4, 1, RF_MERGE_SUM},
};

struct moment {
    double count, mean[3];
    uint32_t seen, kind;
};
static const struct rf_column moment_columns[] = {
        {"count", RF_F64, 0, 1, RF_MERGE_MOMENTS},
        {"mean", RF_F64, 8, 3, RF_MERGE_MOMENTS},
        {"seen", RF_U32, 32, 2, RF_MERGE_SUM},
};

enum { WEIGHTS = 3000, MOMENTS = 4 };

struct model {
    struct rf_state state;
    struct weight *weights;
    struct moment *moments;
};

static struct rf_block block_of_weights(void *data, size_t rows) {
    return (struct rf_block){.name = "linear.weights",
                             .rows = rows,
                             .row_size = sizeof(struct weight),
                             .columns = weight_columns,
                             .column_count = 2,
                             .data = data};
}

static struct rf_block block_of_moments(void *data) {
    return (struct rf_block){.name = "scale.moments",
                             .rows = MOMENTS,
                             .row_size = sizeof(struct moment),
                             .columns = moment_columns,
                             .column_count = 3,
                             .data = data};
}

static void init_model(struct model *model, bool in_other_order) {
    model->weights = calloc(WEIGHTS, sizeof *model->weights);
    model->moments = calloc(MOMENTS, sizeof *model->moments);
    assert_true(model->weights && model->moments);
    model->weights[2999].weight = 0.5F;
    model->moments[2] = (struct moment){7, {1, 2, 3}, 9, 1};
    rf_state_init(&model->state);
    struct rf_block weights = block_of_weights(model->weights, WEIGHTS);
    struct rf_block moments = block_of_moments(model->moments);
    rf_state_add(&model->state, in_other_order ? &moments : &weights);
    rf_state_add(&model->state, in_other_order ? &weights : &moments);
}

static void finish_model(struct model *model) {
    rf_state_finish(&model->state);
    free(model->weights);
    free(model->moments);
}

static void assert_sha256(const struct rf_state *state, enum rf_block_scope scope, const char *expected, bool is_equal) {
    uint8_t digest[RF_SHA256_SIZE];
    char text[RF_SHA256_TEXT_SIZE];
    rf_state_sha256(state, scope, digest);
    rf_sha256_text(digest, text);
    if (is_equal) {
        assert_string_equal(text, expected);
    } else {
        assert_string_not_equal(text, expected);
    }
}

static void blocks_keep_their_place_while_others_are_listed(void **state) {
    (void)state;
    struct rf_state blocks;
    rf_state_init(&blocks);
    static char names[100][8];
    struct rf_block *added[100];
    struct weight data[2] = {0};
    for (int i = 0; i < 100; i++) {
        struct rf_block block = block_of_weights(data, 2);
        names[i][0] = (char)('a' + i / 10);
        names[i][1] = (char)('a' + i % 10);
        block.name = names[i];
        added[i] = rf_state_add(&blocks, &block);
    }
    assert_int_equal(blocks.count, 100);
    for (size_t i = 0; i < 100; i++) {
        assert_ptr_equal(blocks.list[i], added[i]);
        assert_ptr_equal(rf_state_find(&blocks, names[i]), added[i]);
    }
    assert_null(rf_state_find(&blocks, "zz"));
    rf_state_finish(&blocks);
}

static void pieces_cover_a_block(void **state) {
    (void)state;
    struct rf_block block = block_of_weights(NULL, 1024);
    assert_int_equal(rf_block_size(&block), 8192);
    assert_int_equal(rf_block_pieces(&block), 2);
    assert_int_equal(rf_block_piece_size(&block, 1), RF_PIECE_SIZE);
    block.rows = 1025;
    assert_int_equal(rf_block_pieces(&block), 3);
    assert_int_equal(rf_block_piece_size(&block, 1), RF_PIECE_SIZE);
    assert_int_equal(rf_block_piece_size(&block, 2), 8);
    block.rows = 0;
    assert_int_equal(rf_block_pieces(&block), 0);
}

static void a_block_is_sound_only_when_its_columns_cover_the_row(void **state) {
    (void)state;
    struct rf_block block = block_of_weights(NULL, 10);
    assert_true(rf_block_is_sound(&block));
    block.row_size = 12;
    assert_false(rf_block_is_sound(&block));
    block.row_size = 4;
    assert_false(rf_block_is_sound(&block));
    block = block_of_weights(NULL, SIZE_MAX / 8);
    assert_false(rf_block_is_sound(&block));
    block = block_of_weights(NULL, 10);
    block.name = "";
    assert_false(rf_block_is_sound(&block));
    struct rf_column columns[] = {{"a", RF_F32, 0, 1, RF_MERGE_NONE}, {"b", RF_F32, 4, 1, RF_MERGE_NONE}};
    block.name = "block";
    block.columns = columns;
    assert_true(rf_block_is_sound(&block));
    columns[1].offset = 0;
    assert_false(rf_block_is_sound(&block));
    columns[1] = (struct rf_column){"b", RF_F32, 4, 0, RF_MERGE_NONE};
    assert_false(rf_block_is_sound(&block));
    columns[1] = (struct rf_column){"b", RF_F32, 4, UINT32_MAX, RF_MERGE_NONE};
    assert_false(rf_block_is_sound(&block));
    columns[1] = (struct rf_column){"b", (enum rf_column_type)99, 4, 1, RF_MERGE_NONE};
    assert_false(rf_block_is_sound(&block));
}

static void the_hash_depends_on_contents_only(void **state) {
    (void)state;
    static const char golden[] = "0736ee05015344dca4137854656ea01935d2dd671908670127717e3ca8fef106";
    struct model model, other;
    init_model(&model, false);
    init_model(&other, true);
    assert_sha256(&model.state, RF_SCOPE_MODEL, golden, true);
    assert_sha256(&other.state, RF_SCOPE_MODEL, golden, true);
    model.weights[0].weight = 1;
    assert_sha256(&model.state, RF_SCOPE_MODEL, golden, false);
    model.weights[0].weight = 0;
    assert_sha256(&model.state, RF_SCOPE_MODEL, golden, true);
    model.weights[1].weight = model.weights[2999].weight; // the same bytes elsewhere
    model.weights[2999].weight = 0;
    assert_sha256(&model.state, RF_SCOPE_MODEL, golden, false);
    finish_model(&model);
    finish_model(&other);
}

static void the_hash_tells_names_shapes_and_scopes(void **state) {
    (void)state;
    static const char golden[] = "0736ee05015344dca4137854656ea01935d2dd671908670127717e3ca8fef106";
    struct model model;
    init_model(&model, false);
    struct rf_block *weights = model.state.list[0];
    assert_sha256(&model.state, RF_SCOPE_EVALUATION, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", true);
    weights->name = "linear.weightz";
    assert_sha256(&model.state, RF_SCOPE_MODEL, golden, false);
    weights->name = "linear.weights";
    weights->rows--;
    assert_sha256(&model.state, RF_SCOPE_MODEL, golden, false);
    weights->rows++;
    struct rf_column columns[] = {weight_columns[0], weight_columns[1]};
    weights->columns = columns;
    assert_sha256(&model.state, RF_SCOPE_MODEL, golden, true);
    columns[1].merge = RF_MERGE_NONE;
    assert_sha256(&model.state, RF_SCOPE_MODEL, golden, true);
    columns[1].name = "momentum";
    assert_sha256(&model.state, RF_SCOPE_MODEL, golden, false);
    columns[1] = weight_columns[1];
    weights->scope = RF_SCOPE_EVALUATION;
    assert_sha256(&model.state, RF_SCOPE_MODEL, golden, false);
    finish_model(&model);
}

static void equal_states_compare_equal(void **state) {
    (void)state;
    struct model model, other;
    struct rf_error err;
    init_model(&model, false);
    init_model(&other, true);
    assert_int_equal(rf_state_compare(&model.state, &other.state, &err), RF_OK);
    finish_model(&model);
    finish_model(&other);
}

static void compare_names_block_row_and_column(void **state) {
    (void)state;
    struct model model, other;
    struct rf_error err;
    init_model(&model, false);
    init_model(&other, false);
    other.moments[3].mean[1] = -2.5;
    assert_int_equal(rf_state_compare(&model.state, &other.state, &err), RF_CONFLICT);
    assert_string_equal(err.text, "block scale.moments row 3 column mean[1] is 0 in the first state, -2.5 in the second");
    other.moments[1].kind = 4000000000;
    assert_int_equal(rf_state_compare(&model.state, &other.state, &err), RF_CONFLICT);
    assert_string_equal(err.text, "block scale.moments row 1 column seen[1] is 0 in the first state, 4000000000 in the second");
    other.weights[2999].weight = 0.25F;
    assert_int_equal(rf_state_compare(&model.state, &other.state, &err), RF_CONFLICT);
    assert_string_equal(err.text, "block linear.weights row 2999 column weight is 0.5 in the first state, 0.25 in the second");
    finish_model(&model);
    finish_model(&other);
}

static void compare_prints_every_type_of_column(void **state) {
    (void)state;
    static const struct rf_column columns[] = {
            {"u8", RF_U8, 0, 8, RF_MERGE_NONE}, {"u64", RF_U64, 8, 1, RF_MERGE_NONE}, {"i64", RF_I64, 16, 1, RF_MERGE_NONE}};
    struct {
        uint8_t u8[8];
        uint64_t u64;
        int64_t i64;
    } a = {{0}, 1, -2}, b = {{0}, UINT64_MAX, -3};
    struct rf_block block = {.name = "b", .rows = 1, .row_size = sizeof a, .columns = columns, .column_count = 3, .data = &a};
    struct rf_state first, second;
    struct rf_error err;
    rf_state_init(&first);
    rf_state_init(&second);
    rf_state_add(&first, &block);
    block.data = &b;
    rf_state_add(&second, &block);
    assert_int_equal(rf_state_compare(&first, &second, &err), RF_CONFLICT);
    assert_string_equal(err.text, "block b row 0 column u64 is 1 in the first state, 18446744073709551615 in the second");
    b.u64 = 1;
    assert_int_equal(rf_state_compare(&first, &second, &err), RF_CONFLICT);
    assert_string_equal(err.text, "block b row 0 column i64 is -2 in the first state, -3 in the second");
    b.u8[5] = 255;
    assert_int_equal(rf_state_compare(&first, &second, &err), RF_CONFLICT);
    assert_string_equal(err.text, "block b row 0 column u8[5] is 0 in the first state, 255 in the second");
    rf_state_finish(&first);
    rf_state_finish(&second);
}

static void compare_names_shapes_that_differ(void **state) {
    (void)state;
    struct rf_error err;
    struct rf_block a = block_of_weights(NULL, 10), b = block_of_weights(NULL, 20);
    assert_int_equal(rf_block_compare_shape(&a, "here", &b, "there", &err), RF_CONFLICT);
    assert_string_equal(err.text, "block linear.weights has 10 rows of 8 bytes here, 20 rows of 8 bytes there");
    struct rf_column columns[] = {weight_columns[0], {"gradient", RF_U32, 4, 1, RF_MERGE_SUM}};
    b = a;
    b.columns = columns;
    assert_int_equal(rf_block_compare_shape(&a, "here", &b, "there", &err), RF_CONFLICT);
    assert_string_equal(err.text, "block linear.weights: column 1 is gradient f32[1] here, gradient u32[1] there");
    b.columns = weight_columns;
    b.column_count = 1;
    b.row_size = 4;
    assert_int_equal(rf_block_compare_shape(&a, "here", &b, "there", &err), RF_CONFLICT);
    assert_string_equal(err.text, "block linear.weights: column 1 is gradient f32[1] here, absent there");
}

static void compare_names_a_block_that_one_state_lacks(void **state) {
    (void)state;
    struct model model;
    struct rf_state nothing;
    struct rf_error err;
    init_model(&model, false);
    rf_state_init(&nothing);
    assert_int_equal(rf_state_compare(&model.state, &nothing, &err), RF_CONFLICT);
    assert_string_equal(err.text, "block linear.weights is in the first state only");
    assert_int_equal(rf_state_compare(&nothing, &model.state, &err), RF_CONFLICT);
    assert_string_equal(err.text, "block linear.weights is in the second state only");
    rf_state_finish(&nothing);
    finish_model(&model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(blocks_keep_their_place_while_others_are_listed),
            cmocka_unit_test(pieces_cover_a_block),
            cmocka_unit_test(a_block_is_sound_only_when_its_columns_cover_the_row),
            cmocka_unit_test(the_hash_depends_on_contents_only),
            cmocka_unit_test(the_hash_tells_names_shapes_and_scopes),
            cmocka_unit_test(equal_states_compare_equal),
            cmocka_unit_test(compare_names_block_row_and_column),
            cmocka_unit_test(compare_prints_every_type_of_column),
            cmocka_unit_test(compare_names_shapes_that_differ),
            cmocka_unit_test(compare_names_a_block_that_one_state_lacks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
