-- Ends a write: removes its hold and sets a fresh mark on each entity that it changes. Then, if nothing has changed since its hold, it puts
-- its value or restores the old marks.
-- KEYS: the mark and the holds of each changed entity, then, but for an invalidation, those of what else the write needs the marks of. For a
-- put, then the entry, and the marks that it depends on.
-- ARGV[2]: the token. ARGV[3]: `invalidate`, `unknown`, `restore` or `put`. ARGV[4]: the number of changed entities.
-- ARGV[5]: the time to live of a put. ARGV[6]: the bytes of its entry.
-- ARGV[7…]: of each changed entity a fresh mark, and for a restore or a put the mark since the hold and the one before (or nothing).
-- Then the mark of each of the rest.
-- Returns 1 if the value was put or the marks were restored, otherwise 0.
local token, kind, changed = ARGV[2], ARGV[3], tonumber(ARGV[4])
local all = #ARGV - 6 - 2 * changed

local function is_unchanged()
    for i = 1, all do
        local expected = i <= changed and ARGV[3 * i + 5] or ARGV[2 * changed + 6 + i]
        if mark_of(KEYS[2 * i - 1]) ~= expected then
            return false
        end
        local held, own = holds_of(KEYS[2 * i], token)
        if held or (i <= changed and not own) then
            return false
        end
    end
    return true
end

local succeeds = (kind == 'put' or kind == 'restore') and is_unchanged()
for i = 1, changed do
    local name, fresh, old = KEYS[2 * i - 1], ARGV[3 * i + 4], ARGV[3 * i + 6]
    if succeeds and kind == 'restore' and old ~= '' then
        fresh = old
    end
    -- The commit of a write with an unknown outcome may still be in flight: it removes nothing.
    redis.call('HDEL', KEYS[2 * i], kind == 'unknown' and '' or token)
    change_mark(name, fresh)
end
if not succeeds then
    return 0
end
if kind == 'put' then
    local ttl = tonumber(ARGV[5])
    set_entry(KEYS[2 * all + 1], ARGV[6], ttl)
    for i = 2 * all + 2, #KEYS do
        keep(KEYS[i], ttl)
    end
end
return 1
