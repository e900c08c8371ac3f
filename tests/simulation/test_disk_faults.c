// Every call of the disk fails once, in turn, and at every call the power goes: what is on the disk is a snapshot that verifies,
// the worker says which call failed, and the next one goes on as if nothing had been.
#include "tests/simulation/play.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { RECORDS_HERE = 420, LIVED = 40, LOG_SIZE = 1 << 20 };

// What a life does whose disk fails.
enum scene { FIRST_LIFE, RESUMED_LIFE, ROLLBACK, SCENES };
enum manner { GOES_ON, POWER_CUT_BEHIND_IT, HALTED_THERE, MANNERS };

static const char *const scene_names[] = {"a first life", "a life that resumes", "a rollback"};

static struct play play;
static uint8_t undisturbed[RF_SHA256_SIZE];

static void open_scene(enum scene scene, uint64_t call) {
    play = (struct play){0};
    open_small(&play.world, 1, call, RECORDS_HERE);
    play.world.observer = observer_create();
    watch_thinning(&play.thinning, &play.world);
    play.world.retention = (struct rf_retention){.keep = 2};
    if (scene != FIRST_LIFE) {
        assert_true(have_life(&play));
        play.world.goes_on = true;
        assert_true(live_for(&play.world, &play.life, LIVED));
        end_life(&play);
    }
    play.world.log_file = memfd_create("log", MFD_CLOEXEC);
    assert_true(play.world.log_file > 0);
    play.world.goes_on = false;
}

static void close_scene(void) {
    if (play.is_alive) {
        die(&play.world, &play.life);
    }
    close(play.world.log_file);
    observer_destroy(play.world.observer);
    close_simulated(&play.world);
}

// Not said are: a file that is closed as its owner goes, when nothing of it is left to be written; and a snapshot that is not
// needed any more, or was left half written, and could not be removed, which is tried again.
static bool may_be_silent(const char *call) {
    return strncmp(call, "close ", 6) == 0 || strncmp(call, "remove state/snapshot", 21) == 0 ||
           strcmp(call, "remove state/worker.tmp") == 0;
}

static void assert_said(const char *sentence) {
    static char log[LOG_SIZE];
    const char *call = rf_disk_simulated_failed_call(play.world.disk);
    ssize_t size = pread(play.world.log_file, log, LOG_SIZE - 1, 0);
    log[size > 0 ? size : 0] = '\0';
    if (!strstr(sentence, call) && !strstr(log, call) && !may_be_silent(call)) {
        fail_msg("\"%s\" failed, and nobody said so: \"%s\"; %s", call, sentence, log);
    }
}

// The worker's last words, "" when there was nothing to complain of.
static void act(enum scene scene, bool stops_at_failure, char sentence_out[RF_ERROR_TEXT_SIZE]) {
    struct rf_worker_report report = {0};
    struct rf_error err = {0};
    if (scene == ROLLBACK) {
        roll_back(&play, 1, &err);
        snprintf(sentence_out, RF_ERROR_TEXT_SIZE, "%s", err.text);
        return;
    }
    play.has_excuse = true;
    if (be_born(&play.world, &play.life)) {
        snprintf(sentence_out, RF_ERROR_TEXT_SIZE, "%s", play.life.err.text);
        die(&play.world, &play.life);
        return;
    }
    play.is_alive = true;
    while (turn(&play.world, &play.life) && !(stops_at_failure && rf_disk_simulated_has_failed(play.world.disk))) {
    }
    rf_worker_report(play.life.worker, &report);
    snprintf(sentence_out, RF_ERROR_TEXT_SIZE, "%s", report.sentence);
}

static void end_well(void) {
    uint8_t digest[RF_SHA256_SIZE];
    assert_true(have_life(&play));
    live_to_end(&play.world, &play.life);
    digest_of(&play.life, digest);
    assert_memory_equal(digest, undisturbed, sizeof digest); // of one partition there is but one order, rolled back or not
    assert_at_end(&play);
}

// False: the scene has fewer calls.
static bool fail_call(enum scene scene, enum manner manner, uint64_t call) {
    char sentence[RF_ERROR_TEXT_SIZE];
    open_scene(scene, call);
    if (manner == HALTED_THERE) {
        rf_disk_simulated_halt(play.world.disk, call);
    } else {
        fail_disk(&play.world, call);
    }
    act(scene, manner != GOES_ON, sentence);
    bool has_failed = rf_disk_simulated_has_failed(play.world.disk);
    if (has_failed && manner == GOES_ON) {
        assert_said(sentence);
    }
    end_life(&play);
    if (manner != GOES_ON) {
        cut_power(&play.world, call % 2);
        assert_at_rest(&play);
    }
    end_well();
    close_scene();
    return has_failed;
}

static void learn_undisturbed(void) {
    open_scene(FIRST_LIFE, 1);
    assert_true(have_life(&play));
    live_to_end(&play.world, &play.life);
    digest_of(&play.life, undisturbed);
    close_scene();
}

static void every_call_fails_once(enum manner manner) {
    learn_undisturbed();
    for (enum scene scene = 0; scene < SCENES; scene++) {
        uint64_t call = 1;
        while (fail_call(scene, manner, call)) {
            call += SLOWNESS;
        }
        assert_in_range(call, 10, 2000);
        print_message("%s: up to call %d\n", scene_names[scene], (int)(call - SLOWNESS));
    }
}

static void a_call_that_fails_is_named_and_costs_nothing(void **state) {
    (void)state;
    every_call_fails_once(GOES_ON);
}

static void power_that_goes_behind_a_call_that_failed_leaves_a_good_snapshot(void **state) {
    (void)state;
    every_call_fails_once(POWER_CUT_BEHIND_IT);
}

static void power_that_goes_at_any_call_leaves_a_good_snapshot(void **state) {
    (void)state;
    every_call_fails_once(HALTED_THERE);
}

static int tell_if_broken(void **state) {
    (void)state;
    if (play.world.story[0]) {
        fprintf(stderr, "the story: %s\n", play.world.story);
    }
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test_teardown(a_call_that_fails_is_named_and_costs_nothing, tell_if_broken),
            cmocka_unit_test_teardown(power_that_goes_behind_a_call_that_failed_leaves_a_good_snapshot, tell_if_broken),
            cmocka_unit_test_teardown(power_that_goes_at_any_call_leaves_a_good_snapshot, tell_if_broken),
    };
    keep_large_memory_cheap();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
