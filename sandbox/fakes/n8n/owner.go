package main

import (
	"context"
	"errors"
	"net/mail"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/crypto/bcrypt"
)

// Owner is a row of the table "user" as far as the fake needs it.
type Owner struct {
	ID        string
	Email     string `json:"email"`
	FirstName string `json:"firstName"`
	LastName  string `json:"lastName"`
	Password  string `json:"password"`
	Hash      string `json:"-"`
}

var errAlreadySetUp = errors.New("Instance owner already setup")

// fault answers what n8n says of the first wrong field: its path and a message; both empty when all is well.
func (owner Owner) fault() (path, message string) {
	if address, err := mail.ParseAddress(owner.Email); err != nil || address.Address != owner.Email || !strings.Contains(owner.Email, ".") {
		return "email", "Invalid email"
	}
	if owner.FirstName == "" {
		return "firstName", "First name is required"
	}
	if owner.LastName == "" {
		return "lastName", "Last name is required"
	}
	switch length := len([]rune(owner.Password)); {
	case length < 8 || length > 64:
		return "password", "Password must be 8 to 64 characters long."
	case !regexp.MustCompile(`\d`).MatchString(owner.Password):
		return "password", "Password must contain at least 1 number."
	case !regexp.MustCompile(`[A-Z]`).MatchString(owner.Password):
		return "password", "Password must contain at least 1 uppercase letter."
	}
	return "", ""
}

func hashPassword(password string) (string, error) {
	hash, err := bcrypt.GenerateFromPassword([]byte(password), 10)
	return string(hash), err
}

// setOwner claims the owner's empty row; overwrite is for owners that the environment manages.
func setOwner(ctx context.Context, pool *pgxpool.Pool, owner Owner, overwrite bool) (Owner, error) {
	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		var done string
		query := `SELECT value FROM settings WHERE key = 'userManagement.isInstanceOwnerSetUp' FOR UPDATE`
		if err := tx.QueryRow(ctx, query).Scan(&done); err != nil {
			return err
		}
		if done == "true" && !overwrite {
			return errAlreadySetUp
		}
		update := `UPDATE "user" SET email = $1, "firstName" = $2, "lastName" = $3, password = $4, "lastActiveAt" = now(),
			"updatedAt" = now() WHERE "roleSlug" = 'global:owner' RETURNING id`
		row := tx.QueryRow(ctx, update, strings.ToLower(owner.Email), owner.FirstName, owner.LastName, owner.Hash)
		if err := row.Scan(&owner.ID); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE settings SET value = 'true' WHERE key = 'userManagement.isInstanceOwnerSetUp'`)
		return err
	})
	owner.Email = strings.ToLower(owner.Email)
	return owner, err
}

func isSetUp(ctx context.Context, pool *pgxpool.Pool) (bool, error) {
	var value string
	err := pool.QueryRow(ctx, `SELECT value FROM settings WHERE key = 'userManagement.isInstanceOwnerSetUp'`).Scan(&value)
	return value == "true", err
}

// findUser looks a user up by e-mail, or by id where that is given; false when there is none.
func findUser(ctx context.Context, pool *pgxpool.Pool, email, id string) (Owner, bool, error) {
	var user Owner
	query := `SELECT id::text, email, "firstName", "lastName", password FROM "user"
		WHERE password IS NOT NULL AND NOT disabled AND (email = $1 OR id::text = $2)`
	row := pool.QueryRow(ctx, query, strings.ToLower(email), id)
	err := row.Scan(&user.ID, &user.Email, &user.FirstName, &user.LastName, &user.Hash)
	if errors.Is(err, pgx.ErrNoRows) {
		return user, false, nil
	}
	return user, err == nil, err
}

// public is what n8n answers about a user.
func (owner Owner) public() map[string]any {
	return map[string]any{
		"id": owner.ID, "email": owner.Email, "firstName": owner.FirstName, "lastName": owner.LastName,
		"role": "global:owner", "isOwner": true, "isPending": false, "signInType": "email",
		"mfaEnabled": false, "mfaAuthenticated": false, "disabled": false,
	}
}
