-- wrk: puts of 1 KiB through etcd's v3 JSON gateway; each thread has keys of its own.
local alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
local function base64(text) -- of a length that three divides
   return (text:gsub("...", function(three)
      local a, b, c = three:byte(1, 3)
      local n = a * 65536 + b * 256 + c
      local out = ""
      for shift = 3, 0, -1 do
         local i = math.floor(n / 64 ^ shift) % 64 + 1
         out = out .. alphabet:sub(i, i)
      end
      return out
   end))
end
local KEYS = 10000
local value = base64(string.rep("0123456789ab", 86)) -- 1,032 bytes
local threads, bodies = 0, {}

function setup(thread)
   thread:set("number", threads)
   threads = threads + 1
end

function init(_)
   for i = 1, KEYS do
      local key = base64(string.format("bench/%03d/%08d", number or 0, i))
      bodies[i] = wrk.format("POST", "/v3/kv/put", nil, '{"key":"' .. key .. '","value":"' .. value .. '"}')
   end
end

local turn = 0
function request()
   turn = turn % KEYS + 1
   return bodies[turn]
end

function done(summary, latency, _)
   local errors = summary.errors
   io.write(string.format("RESULT %d %d %d %d %d %d\n", summary.requests, summary.duration, latency:percentile(50),
      latency:percentile(99), latency.max, errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
