#include "ingest/source.h"
#include "tests/ingest/source_fixture.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILES = 3, PATH_SIZE = 64 };

// Three files in a folder of their own.
struct world {
    char folder[PATH_SIZE];
    char path[FILES][2 * PATH_SIZE];
};

static void fill(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

static int setup(void **state) {
    static const char *const texts[FILES] = {"a\nb\nc\n", "d\n", "e\nf\n"};
    struct world *world = calloc(1, sizeof *world);
    if (!world) {
        return -1;
    }
    snprintf(world->folder, sizeof world->folder, "/tmp/riffle-sequence-XXXXXX");
    assert_non_null(mkdtemp(world->folder));
    for (size_t i = 0; i < FILES; i++) {
        snprintf(world->path[i], sizeof world->path[i], "%s/%zu", world->folder, i);
        fill(world->path[i], texts[i]);
    }
    *state = world;
    return 0;
}

static int teardown(void **state) {
    struct world *world = *state;
    for (size_t i = 0; i < FILES; i++) {
        unlink(world->path[i]);
    }
    rmdir(world->folder);
    free(world);
    return 0;
}

static struct rf_source *open_sequence(const struct world *world) {
    struct rf_source *list[FILES], *source = NULL;
    struct rf_error err;
    for (size_t i = 0; i < FILES; i++) {
        struct rf_source_file_options options = {.path = world->path[i], .record_bytes_max = 100, .opens_late = true};
        assert_int_equal(rf_source_file_create(&options, &list[i], &err), RF_OK);
    }
    assert_int_equal(rf_source_sequence_create(list, FILES, &source, &err), RF_OK);
    return source;
}

static void reads_all_sources_in_their_order(void **state) {
    struct rf_source *source = open_sequence(*state);
    struct rf_positions positions;
    struct rf_poll want = want_all();
    char text[256];
    for (int round = 0; round < 2; round++) {
        assign_all(source, &positions);
        assert_int_equal(positions.count, FILES);
        for (size_t i = 0; i < FILES; i++) {
            assert_int_equal(positions.list[i].next_offset, 0); // decided from the first moment on
        }
        read_records(source, &want, SIZE_MAX, text, sizeof text);
        assert_string_equal(text, "0@0=a 0@1=b 0@2=c 1@0=d 2@0=e 2@1=f ");
        rf_source_unassign(source);
        rf_positions_finish(&positions);
    }
    rf_source_destroy(source);
}

static void resumes_in_the_middle_of_any(void **state) {
    static const struct {
        int64_t next[FILES];
        const char *text;
    } cases[] = {
            {{2, 0, 0}, "0@2=c 1@0=d 2@0=e 2@1=f "},
            {{3, 0, 0}, "1@0=d 2@0=e 2@1=f "},
            {{3, 1, 0}, "2@0=e 2@1=f "},
            {{3, 1, 1}, "2@1=f "},
            {{1, 1, 1}, "2@1=f "}, // closed is closed
            {{3, 1, 2}, ""},
    };
    struct rf_source *source = open_sequence(*state);
    struct rf_positions positions;
    struct rf_error err;
    struct rf_poll want = want_all();
    char text[256];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        expect_assigned(source, &positions);
        for (size_t k = 0; k < FILES; k++) {
            positions.list[k].next_offset = cases[i].next[k];
            positions.list[k].records = (uint64_t)cases[i].next[k];
        }
        assert_int_equal(rf_source_assign(source, &positions, &err), RF_OK);
        read_records(source, &want, SIZE_MAX, text, sizeof text);
        assert_string_equal(text, cases[i].text);
        rf_source_unassign(source);
        rf_positions_finish(&positions);
    }
    rf_source_destroy(source);
}

static void what_is_closed_may_be_gone(void **state) {
    struct world *world = *state;
    unlink(world->path[0]);
    struct rf_source *source = open_sequence(world);
    struct rf_positions positions;
    struct rf_holding holdings[FILES];
    struct rf_error err;
    struct rf_poll want = want_all();
    char text[256];
    expect_assigned(source, &positions);
    assert_int_equal(rf_source_assign(source, &positions, &err), RF_NOT_FOUND);
    assert_non_null(strstr(err.text, world->path[0]));
    rf_source_unassign(source);
    rf_positions_finish(&positions);

    expect_assigned(source, &positions);
    positions.list[0].next_offset = 3;
    positions.list[0].records = 3;
    positions.list[0].fingerprint = 1;
    positions.list[1].next_offset = 1;
    positions.list[1].records = 1;
    positions.list[1].fingerprint = 1;
    assert_int_equal(rf_source_look(source, &positions, holdings, &err), RF_OK);
    assert_int_equal(holdings[0].end, -1);
    assert_false(holdings[0].has_last);
    assert_true(holdings[1].has_last);
    assert_int_equal(rf_source_assign(source, &positions, &err), RF_OK);
    read_records(source, &want, SIZE_MAX, text, sizeof text);
    assert_string_equal(text, "1@0=d 2@0=e 2@1=f "); // the last one learned comes once more, to be compared
    rf_positions_finish(&positions);
    rf_source_destroy(source);
}

static void what_is_named_too_late_is_refused(void **state) {
    struct rf_source *source = open_sequence(*state);
    struct rf_positions positions;
    struct rf_error err;
    expect_assigned(source, &positions);
    positions.list[0].next_offset = 3;
    positions.list[0].records = 3;
    positions.list[2].next_offset = 1;
    positions.list[2].records = 1;
    assert_int_equal(rf_source_assign(source, &positions, &err), RF_CONFLICT);
    char sentence[512];
    snprintf(sentence, sizeof sentence,
             "%s was to be learned before what was learned already; name it no more, or give the model a new state folder",
             ((struct world *)*state)->path[1]);
    assert_string_equal(err.text, sentence);
    rf_positions_finish(&positions);
    rf_source_destroy(source);
}

static void follows_a_recorded_order_and_closes_what_it_leaves(void **state) {
    struct rf_source *source = open_sequence(*state);
    struct rf_positions positions;
    struct rf_error err;
    struct rf_poll want = want_all();
    char text[256];
    assign_all(source, &positions);
    want.has_partition = true;
    want.partition = 1;
    read_records(source, &want, 1, text, sizeof text);
    assert_string_equal(text, "1@0=d ");
    want.has_partition = false;
    read_records(source, &want, SIZE_MAX, text, sizeof text);
    assert_string_equal(text, "2@0=e 2@1=f ");
    rf_source_unassign(source);
    rf_positions_finish(&positions);

    struct loan loan;
    enum rf_source_event event;
    const struct rf_positions *partitions;
    expect_assigned(source, &positions);
    positions.list[1].next_offset = 1;
    positions.list[1].records = 1;
    positions.list[0].next_offset = 3;
    assert_int_equal(rf_source_assign(source, &positions, &err), RF_OK);
    want.has_partition = true;
    want.partition = 0;
    loan_init(&loan);
    assert_int_equal(rf_source_poll(source, &want, &loan.records, &event, &partitions, &err), RF_CONFLICT);
    rf_positions_finish(&positions);
    rf_source_destroy(source);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test_setup_teardown(reads_all_sources_in_their_order, setup, teardown),
            cmocka_unit_test_setup_teardown(resumes_in_the_middle_of_any, setup, teardown),
            cmocka_unit_test_setup_teardown(what_is_closed_may_be_gone, setup, teardown),
            cmocka_unit_test_setup_teardown(what_is_named_too_late_is_refused, setup, teardown),
            cmocka_unit_test_setup_teardown(follows_a_recorded_order_and_closes_what_it_leaves, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
