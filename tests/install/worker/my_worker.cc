#include <poold/worker.h>

int main(int argc, char** argv) { return poold::WorkerMain(argc, argv); }
