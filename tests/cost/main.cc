// What a task costs in instructions, without anything that a machine's load could change: see parts.h.
//
//   valgrind --tool=callgrind --collect-atstart=no task_cost      test_instructions.py does it, and compares
#include "parts.h"

int main() {
  using namespace poold::cost;
  PlayOneAtATime();
  PlayBatches();
  PlayWideBatches();
  PlayBurst();
  PlayCancels();
  PlayRetries();
  PlayMap();
  PlayWideMap();
  PlayManyWorkers();
  PlayIdlePools();
  PlayIdleClients();
  PlayOpening();
  PlayRunFrames();
  PlayRingWriting();
  PlayRingReading();
  PlayChunkReading();
  PlayTaskRequests();
  PlayMapRequests();
  PlayTaskResponses();
  PlayMapResponses();
}
