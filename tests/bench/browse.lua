-- SPDX-License-Identifier: Apache-2.0
-- browse.lua: for wrk: 5,000 visitors of a shop in turn, each with the head of a browser and the jar of a
-- customer: a page, its scripts and images, and a call that puts something into the cart.
local agents = {
  "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0",
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
  "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 "
    .. "Mobile/15E148 Safari/604.1",
}
local kinds = {
  page = { "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8", "document", "navigate" },
  script = { "*/*", "script", "no-cors" },
  image = { "image/avif,image/webp,*/*", "image", "no-cors" },
  call = { "application/json, text/plain, */*", "empty", "cors" },
}
local n = 0

function request()
  local step, visitor = n % 8, math.floor(n / 8) % 5000
  local page = "/products/" .. (visitor * 7 % 300) .. "/blue-shirt?page=2"
  local path, kind, method, body = page, kinds.page, "GET", nil

  n = n + 1
  if step == 7 then
    path, kind, method, body = "/api/cart/items", kinds.call, "POST", '{"id":17,"quantity":1}'
  elseif step > 4 then
    path, kind = "/assets/img/" .. step .. ".jpg", kinds.image
  elseif step > 0 then
    path, kind = "/assets/app." .. step .. ".js", kinds.script
  end
  return wrk.format(method, path, {
    ["Host"] = "www.shop.example",
    ["User-Agent"] = agents[visitor % 3 + 1],
    ["Accept"] = kind[1],
    ["Accept-Language"] = "de,en-US;q=0.7,en;q=0.3",
    ["Accept-Encoding"] = "gzip, deflate, br",
    ["Connection"] = "keep-alive",
    ["Referer"] = "http://www.shop.example" .. (step == 0 and "/list" or page),
    ["Cookie"] = string.format("theme=dark; _ga=GA1.1.%d.1700000000; PHPSESSID=q1w2e3r4t5z6u7i8%08x; "
      .. "consent=%%7B%%22all%%22%%3Atrue%%7D", visitor + 100000000, visitor),
    ["Sec-Fetch-Dest"] = kind[2],
    ["Sec-Fetch-Mode"] = kind[3],
    ["Sec-Fetch-Site"] = "same-origin",
    ["Upgrade-Insecure-Requests"] = "1",
    ["Content-Type"] = body and "application/json" or nil,
  }, body)
end
