-- A script of wrk: wrk ... --script wrk.lua URL -- TEMPLATE MARK FIRST ANSWERS
--
-- Each request is the text of TEMPLATE with a number of its own, from FIRST on, in place of MARK. Each answer is
-- appended to ANSWERS: its status, a blank, the size of its body in bytes, LF, and the body.

local pieces, number, answers = {}, 0, nil

function init(args)
  local file = assert(io.open(args[1], "rb"))
  local text, mark, from = file:read("*a"), args[2], 1
  file:close()
  while true do
    local begins, ends = string.find(text, mark, from, true)
    table.insert(pieces, string.sub(text, from, (begins or 0) - 1))
    if not begins then break end
    from = ends + 1
  end
  number = tonumber(args[3])
  answers = assert(io.open(args[4], "wb"))
  answers:setvbuf("full", 1048576)
end

function request()
  local digits = string.format("%012d", number)
  number = number + 1
  return table.concat(pieces, digits)
end

function response(status, headers, body)
  answers:write(status, " ", #body, "\n", body)
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format("\nMEASURED %d %d", summary.duration, errors.connect + errors.read + errors.write))
  for n = 1, 1000 do
    io.write(string.format(" %d", latency:percentile(n / 10)))
  end
  io.write("\n")
end
