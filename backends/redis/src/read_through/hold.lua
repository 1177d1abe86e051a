-- Sets a fresh mark and a hold on each entity that a write changes.
-- KEYS: the mark and the holds of each changed entity, then those of what else the write needs the marks of.
-- ARGV[2]: the token of the write. ARGV[3]: the time after which the hold expires. ARGV[4]: the number of changed entities.
-- ARGV[5…]: a fresh mark for each.
-- Returns the mark of each: for the changed entities that before, if there was one. Then 1 if no other write holds any, otherwise 0.
local token, ms, changed = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local clean, reply = 1, {}
for i = 1, #KEYS / 2 do
    local name, holds, fresh = KEYS[2 * i - 1], KEYS[2 * i], ARGV[4 + i]
    local held = holds_of(holds, token)
    if held then
        clean = 0
    end
    local mark = mark_of(name)
    if i <= changed then
        set_mark(name, fresh, ms, mark)
        set_hold(holds, token, ms, held)
    elseif mark then
        keep(name, ms)
    else
        mark = fresh
        set_mark(name, fresh, ms)
    end
    reply[i] = mark
end
reply[#reply + 1] = clean
return reply
