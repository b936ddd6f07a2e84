#include "poold/client.h"

void Show(const poold::client::Pool& pool) {
  const auto text = pool.Apply<std::string_view>("name");
  if (text.ok()) (void)text->size();
}
