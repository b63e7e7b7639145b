// Argo CD's way with health scripts, for tests: reads {"scripts": data of argocd-cm, "objects": [...]} and prints what each object's script
// says. The interpreter is Argo CD's, in its version, with the libraries that it opens for a script (util/lua/lua.go); the clock it offers is
// left out, no script here asks for the time.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

const prefix = "resource.customizations.health."

type health struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

func main() {
	var asked struct {
		Scripts map[string]string
		Objects []map[string]any
	}
	said := []health{}
	err := json.NewDecoder(os.Stdin).Decode(&asked)
	for _, object := range asked.Objects {
		if err != nil {
			break
		}
		group, _, _ := strings.Cut(fmt.Sprint(object["apiVersion"]), "/")
		script, found := asked.Scripts[fmt.Sprintf("%s%s_%s", prefix, group, object["kind"])]
		if !found {
			err = fmt.Errorf("no script for %s of %s", object["kind"], group)
			break
		}
		var one health
		one, err = healthOf(object, script)
		said = append(said, one)
	}
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(said)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func healthOf(object map[string]any, script string) (health, error) {
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	for name, open := range map[string]lua.LGFunction{
		lua.LoadLibName: lua.OpenPackage, lua.BaseLibName: lua.OpenBase, lua.TabLibName: lua.OpenTable,
	} {
		if err := state.CallByParam(lua.P{Fn: state.NewFunction(open), Protect: true}, lua.LString(name)); err != nil {
			return health{}, err
		}
	}
	state.SetGlobal("obj", valueOf(state, object))
	if err := state.DoString(script); err != nil {
		return health{}, err
	}
	table, isTable := state.Get(-1).(*lua.LTable)
	if !isTable {
		return health{}, fmt.Errorf("a script returned %s", state.Get(-1).Type())
	}
	return health{table.RawGetString("status").String(), table.RawGetString("message").String()}, nil
}

func valueOf(state *lua.LState, value any) lua.LValue {
	switch known := value.(type) {
	case bool:
		return lua.LBool(known)
	case float64:
		return lua.LNumber(known)
	case string:
		return lua.LString(known)
	case []any:
		table := state.CreateTable(len(known), 0)
		for _, item := range known {
			table.Append(valueOf(state, item))
		}
		return table
	case map[string]any:
		table := state.CreateTable(0, len(known))
		for key, item := range known {
			table.RawSetString(key, valueOf(state, item))
		}
		return table
	default:
		return lua.LNil
	}
}
