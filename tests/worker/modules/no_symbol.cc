extern "C" int nothing_of_poold() { return 0; }
