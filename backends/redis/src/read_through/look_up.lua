-- Answers a reader after a miss: with the entry if it is there by now, otherwise with the marks.
-- KEYS[1]: the entry. KEYS[2]: its lease. KEYS[3…]: the mark and the holds of each key that it needs the mark of.
-- ARGV[2]: for how long the marks are needed. ARGV[3]: the token of the lease, or nothing if none is wanted. ARGV[4]: its time.
-- ARGV[5]: from which age on an entry is to be refreshed, if this reader gets the lease; 0 means never.
-- ARGV[6…]: a fresh mark for each key.
-- Returns the entry, if it has these marks; the marks; whether a write holds any; how old the youngest mark is; and of the
-- lease 0 if there is none, 1 if it was taken, 2 if another process has it.
local ms = tonumber(ARGV[2])
local marks, held, youngest = {}, 0, 0
for i = 1, #KEYS / 2 - 1 do
    local name, holds = KEYS[2 * i + 1], KEYS[2 * i + 2]
    local mark, made = mark_of(name)
    if mark then
        keep(name, ms)
    else
        mark, made = ARGV[5 + i], now
        set_mark(name, mark, ms)
    end
    if holds_of(holds) then
        held = 1
    end
    marks[i], youngest = mark, math.max(youngest, made)
end
-- The clock of the server may have been set back.
local age = math.max(now - youngest, 0)

local entry = redis.call('GET', KEYS[1])
local stored_with = entry and string.match(entry, '^r1 ' .. incarnation .. ' %d+ %x+( [%x ]+)\n')
local is_hit = stored_with
for i = 1, #marks do
    is_hit = is_hit and string.find(stored_with, ' ' .. marks[i], 1, true)
end
local refresh = tonumber(ARGV[5])
local stored_at = is_hit and tonumber(string.sub(entry, 21, 36))
local is_due = is_hit and refresh > 0 and now - stored_at >= refresh
if is_hit and not is_due then
    return {entry, marks, held, age, 0}
end

local token, lease = ARGV[3], 0
if token ~= '' and held == 0 then
    local seen = table.concat(marks, ' ')
    local owner, seen_by_owner = lease_of(KEYS[2])
    if not owner or owner == token then
        redis.call('SET', KEYS[2], token .. ' ' .. incarnation .. ' ' .. seen, 'PX', ARGV[4])
        lease = 1
    elseif seen_by_owner == seen then
        lease = 2
    end
end
-- Another process refreshes it.
if is_due and lease ~= 1 then
    return {entry, marks, held, age, 0}
end
return {false, marks, held, age, lease}
