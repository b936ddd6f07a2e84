/* A shared object without poold_module. */
int not_a_module(void) { return 0; }
