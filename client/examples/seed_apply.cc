// The seed's second program: each task is waited for before the next one is submitted.
//
//   pool = multiprocessing.Pool(processes=3)
//   for i in range(4):
//       pool.apply(func, ("hello %d" % i,))
//   pool.close()
//   pool.join()
#include "example.h"

int main() {
  auto pool = example::OpenPool("seed_apply");
  for (int i = 0; i < 4; ++i) {
    example::Check(pool.Apply<void>("func", "hello " + std::to_string(i)));
  }
  example::Check(pool.Close().status());
  example::Check(pool.Join());
  std::printf("Sub-process(es) done.\n");
}
