// The worker program that is installed with poold: no functions of its own, the pool's modules bring them.
#include "poold/worker.h"

int main(int argc, char** argv) { return poold::WorkerMain(argc, argv); }
