-- An alert and a review job belong to a handler and an entity. `entity` holds the name of both, as `Incident` writes it.
-- A job that was opened before keeps its name: it falls due and is reviewed, or is completed by hand; no success completes it any
-- more. An alert that was open is forgotten: what still fails opens it anew.
ALTER TABLE graceful_jobs ADD COLUMN owner TEXT NOT NULL DEFAULT '';
DELETE FROM graceful_alerts WHERE resolved_at IS NULL;
