package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/postern-dev/postern/internal/admin"
	"github.com/postern-dev/postern/internal/guard"
	"github.com/postern-dev/postern/internal/strictjson"
)

type explainCommand struct {
	remote
	Event     string  `name:"event" placeholder:"ID" help:"Instead: what was decided about this request, by the X-Request-Id of its answer."`
	Client    string  `name:"client" placeholder:"ID" help:"Whose call it would be."`
	Issuer    string  `name:"issuer" placeholder:"NAME" help:"The client's issuer; may be left out where the API has one only."`
	API       string  `name:"api" placeholder:"NAME" help:"The API; may be left out where there is one only."`
	Scope     *string `name:"scope" placeholder:"SCOPES" help:"What it would ask the token for, separated by spaces; left out: all that it may, but nothing that binds the token to a resource."`
	Query     string  `name:"query" placeholder:"FILE" help:"A GraphQL document; - is standard input."`
	Variables string  `name:"variables" placeholder:"FILE" help:"Its variables, as JSON."`
	Operation string  `name:"operation" placeholder:"NAME" help:"Which operation of it, where it has several."`
	Method    string  `name:"method" placeholder:"METHOD" help:"Or a call by method and path: GET, where it is left out."`
	Path      string  `name:"path" placeholder:"PATH" help:"Below that of the API, as in its routes; with a query string, if any."`
	Body      string  `name:"body" placeholder:"FILE" help:"Its body; - is standard input."`
	Type      string  `name:"content-type" placeholder:"TYPE" help:"Of the body; left out: application/json."`
	JSON      bool    `name:"json" help:"Print JSON."`
}

// Help says what the exit codes mean, and what does not happen.
func (explainCommand) Help() string {
	return "Exits with 0 if the call would pass, with 1 if it would be refused. The same code judges it as in the gateway, with the rights of this moment. Nothing is sent to the API, " +
		"counted against a limit or recorded."
}

// Run prints what would become of a call.
func (c explainCommand) Run(ctx context.Context, s *streams) error {
	switch {
	case c.Event != "" && c.Client+c.Query+c.Path != "":
		return misuse{errors.New("--event goes without --client, --query and --path")}
	case c.Event != "":
		return c.event(ctx, s)
	case c.Client == "":
		return misuse{errors.New("missing flags: --client=ID")}
	}
	call, err := c.call(s)
	if err != nil {
		return err
	}
	conn := c.dial()
	if err := c.place(ctx, conn, &call); err != nil {
		return err
	}
	e, err := conn.Explain(ctx, call)
	if err != nil {
		return err
	}
	if c.JSON {
		err = s.json(e)
	} else {
		err = printExplained(s, &e)
	}
	if err != nil || e.Allowed {
		return err
	}
	hints, err := c.hints(ctx, conn, &call, &e)
	if err != nil {
		return err
	}
	return hinted{fmt.Errorf("refused: %s", e.Why), strings.Join(hints, "\nhint: ")}
}

// hints say what to do about a refusal.
func (c explainCommand) hints(ctx context.Context, conn *admin.Conn, call *admin.Call, e *admin.Explained) ([]string, error) {
	switch e.Reason {
	case guard.GraphQLUnanswered:
		return []string{"`postern graphql coverage` lists all fields that lack an answer; docs/graphql.md says how to give one"}, nil
	case guard.NoRoute:
		return c.rules(ctx, conn, call)
	case admin.ClientDisabled:
		return []string{"postern client enable" + c.flags() + " --issuer " + call.Issuer + " " + quoted(call.Client)}, nil
	}
	return c.commands(ctx, conn, call, e.Grant)
}

// rules say where the rules of an API are listed, of which none lets a call pass.
func (c explainCommand) rules(ctx context.Context, conn *admin.Conn, call *admin.Call) ([]string, error) {
	api, err := conn.GetAPI(ctx, call.API)
	if err != nil {
		return nil, err
	}
	list := []string{"`postern api show" + c.flags() + " " + quoted(api.Name) + "` lists its rules, by method and path"}
	if api.Path != "" && strings.HasPrefix(call.Path, api.Path+"/") {
		list = append(list, "--path is below that of the API: leave out "+api.Path)
	}
	return list, nil
}

// call reads what the flags name.
func (c explainCommand) call(s *streams) (call admin.Call, err error) {
	switch {
	case (c.Query == "") == (c.Path == ""):
		return call, misuse{hinted{errors.New("there is no call to explain, or there are two"), "name a GraphQL document with --query FILE, or a path with --path"}}
	case c.Query != "" && c.Method+c.Body+c.Type != "":
		return call, misuse{errors.New("--method, --body and --content-type go with --path, not with --query")}
	case c.Path != "" && c.Variables+c.Operation != "":
		return call, misuse{errors.New("--variables and --operation go with --query")}
	case c.Type != "" && c.Body == "":
		return call, misuse{errors.New("--content-type goes with --body")}
	case c.Path != "" && c.Path[0] != '/':
		return call, misuse{fmt.Errorf("--path: %q begins with no slash; write it below that of the API, as in /%s", c.Path, c.Path)}
	case c.Method != strings.ToUpper(c.Method):
		return call, misuse{fmt.Errorf("--method: %q is another one than %s", c.Method, strings.ToUpper(c.Method))}
	}
	call = admin.Call{Client: c.Client, Scope: c.Scope, OperationName: c.Operation, Method: c.Method, Path: c.Path, ContentType: c.Type}
	if c.Path != "" && c.Method == "" {
		call.Method = "GET"
	}
	if call.Query, err = content(s, c.Query); err != nil {
		return call, err
	}
	if call.Body, err = content(s, c.Body); err != nil && strings.HasPrefix(c.Body, "{") {
		err = misuse{hinted{errors.New("--body is the name of a file, and - is standard input"), "echo '{…}' | postern explain … --body -"}}
	}
	if err != nil {
		return call, err
	}
	if c.Body != "" && c.Type == "" {
		call.ContentType = "application/json"
	}
	variables, err := content(s, c.Variables)
	if err != nil || variables == "" {
		return call, err
	}
	if err := strictjson.Check([]byte(variables)); err != nil {
		return call, misuse{fmt.Errorf("--variables: %w", err)}
	}
	call.Variables = []byte(variables)
	return call, nil
}

// content reads a file that a flag names, if it names one.
func content(s *streams, file string) (string, error) {
	if file == "" {
		return "", nil
	}
	if file == "-" {
		data, err := io.ReadAll(s.in)
		return string(data), err
	}
	data, err := input(file)
	if err == nil && len(data) == 0 {
		err = misuse{fmt.Errorf("%s is empty", file)}
	}
	return string(data), err
}

// place finds the API and the issuer where they were left out.
func (c explainCommand) place(ctx context.Context, conn *admin.Conn, call *admin.Call) error {
	call.API, call.Issuer = c.API, c.Issuer
	var apis []admin.API
	if c.API == "" || c.Issuer == "" {
		var err error
		if apis, err = conn.ListAPIs(ctx); err != nil {
			return err
		}
	}
	if c.API == "" {
		names := make([]string, len(apis))
		for i := range apis {
			names[i] = apis[i].Name
		}
		if len(apis) == 0 {
			return hinted{errors.New("this server has no API yet"), "bring one in with `postern apply -f DIR` (docs/objects.md)"}
		}
		if len(apis) > 1 {
			return misuse{hinted{errors.New("--api is missing, and there are several"), "name one of " + strings.Join(names, ", ")}}
		}
		call.API = names[0]
	}
	for i := range apis {
		if c.Issuer == "" && apis[i].Name == call.API && len(apis[i].Issuers) == 1 {
			call.Issuer = apis[i].Issuers[0]
		}
	}
	if call.Issuer != "" {
		return nil
	}
	var err error
	call.Issuer, err = issuerFlag{}.resolve(ctx, conn)
	return err
}
