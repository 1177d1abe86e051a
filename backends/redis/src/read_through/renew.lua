-- Extends the hold of a write, and never creates one.
-- KEYS: as for the hold. ARGV[2]: the token. ARGV[3]: the time from now after which the hold expires. ARGV[4]: the number of changed entities.
-- Returns 1 if the write still held each entity, otherwise 0.
local token, ms, changed = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local all = 1
for i = 1, #KEYS / 2 do
    local name, holds = KEYS[2 * i - 1], KEYS[2 * i]
    if i <= changed then
        local held, expiry = holds_of(holds, token)
        if not expiry then
            all = 0
        elseif expiry < now + ms then
            set_hold(holds, token, ms, held)
        end
    end
    -- The put at the end needs the marks.
    keep(name, ms)
end
return all
