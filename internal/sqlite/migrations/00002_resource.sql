-- +goose Up

-- What an entry is about: of a refused call its API, method and route.
ALTER TABLE activity ADD COLUMN resource INTEGER;
