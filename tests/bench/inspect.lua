-- SPDX-License-Identifier: Apache-2.0
-- Every fifth request is for a product as JSON, which a rule reads (INSPECTED in measure.py); the others say hello.
local count = 0

request = function()
	count = count + 1
	if count % 5 == 0 then
		return wrk.format("GET", "/api/products/" .. count % 1000)
	end
	return wrk.format("GET", "/hello")
end
