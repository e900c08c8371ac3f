// The keeper thread: writes snapshots, publishes them, answers who asks for one.
#include "ops/worker_internal.h"

#include <string.h>

static void publish_posted(struct rf_worker *worker) {
    pthread_mutex_lock(&worker->lock);
    bool has_publish = worker->has_publish;
    struct rf_version version = worker->publish.version;
    char path[sizeof worker->publish_path];
    uint8_t sha256[RF_SHA256_SIZE];
    memcpy(path, worker->publish_path, sizeof path);
    memcpy(sha256, worker->publish_sha256, sizeof sha256);
    worker->has_publish = false;
    pthread_mutex_unlock(&worker->lock);
    struct rf_error err;
    if (has_publish && worker->options.clone && rf_clone_publish(worker->options.clone, path, &version, sha256, &err)) {
        rf_log(worker->options.log, RF_LOG_WARN, "snapshot was not published", rf_log_text("error", err.text));
    }
}

void rf_worker_keeper_turn(struct rf_worker *worker, int wait_ms) {
    struct rf_checkpoint *checkpoint = rf_pipeline_checkpoint(worker->pipeline);
    bool is_last = atomic_load(&worker->is_fold_done); // then nothing comes after this turn
    bool has_worked = checkpoint && rf_checkpoint_work(checkpoint);
    publish_posted(worker);
    if (worker->options.clone) {
        rf_clone_serve(worker->options.clone, has_worked || is_last ? 0 : wait_ms);
    } else if (!has_worked && !is_last && wait_ms) {
        rf_worker_sleep_ms(worker, wait_ms);
    }
    atomic_store(&worker->is_kept, is_last);
}

void *rf_worker_keeper_main(void *context) {
    struct rf_worker *worker = context;
    pthread_setname_np(pthread_self(), "keeper");
    while (!atomic_load(&worker->is_kept)) {
        rf_worker_keeper_turn(worker, RF_WORKER_IDLE_MS);
    }
    return NULL;
}
