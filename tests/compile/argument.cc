#include "poold/client.h"

struct Opaque {
  void* handle = nullptr;
};
void Submit(const poold::client::Pool& pool) { (void)pool.Submit<int>("use", 7, Opaque()); }
