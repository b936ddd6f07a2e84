// The recorded history: what poold does for tasks and items, part by part, the same in every run.
//
// Each function plays one part on things of its own and counts it with a Meter. No clock, no thread, no randomness; a
// tenth is played before the counting begins, so that tables have grown and memory is warm. Aborts when something does
// not come out as it must.
#pragma once

namespace poold::cost {

// ---- The core, with ports that do nothing (core_parts.cc) ----
// Of a task: submitted, given to a worker, answered, its outcome kept, told and released.
void PlayOneAtATime();
void PlayBatches();      // 64 outstanding
void PlayWideBatches();  // the same with many workers
void PlayBurst();        // all are submitted before the first is answered
void PlayCancels();      // of tasks that wait
void PlayRetries();      // each fails once
// Of an item.
void PlayMap();
void PlayWideMap();

// ---- The core among many (scale_parts.cc) ----
// Several parts each, which may differ by no more than a quarter: test_instructions.py holds that.
// Of a task that comes when another one has ended, while all workers have something.
void PlayManyWorkers();
void PlayIdlePools();    // beside pools that have nothing
void PlayIdleClients();  // beside clients that do nothing
// Of a worker, until its pool runs.
void PlayOpening();

// ---- The floor beside the workers (worker_parts.cc) ----
void PlayRunFrames();     // claim slots, frames, the write to the socket
void PlayRingWriting();   // in the worker: claim, record
void PlayRingReading();   // ring -> batch -> event
void PlayChunkReading();  // the same, of an item of a chunk

// ---- The floor beside the clients (session_parts.cc) ----
void PlayTaskRequests();
void PlayMapRequests();
void PlayTaskResponses();
void PlayMapResponses();

}  // namespace poold::cost
