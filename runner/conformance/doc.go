// Package conformance holds what `run deploy` leaves behind against what the real `prefect deploy` leaves. It has tests only.
//
// A case is a folder of testdata/conformance: a small project, case.json that tells how to deploy it and what the server holds beforehand, and expected.json, the
// recording of what a real Prefect 3.8.8 then held. Three tests use it, so that none of the three parties can drift alone:
//
//	TestRecorded           ours, into a state file, against the recording; needs neither Python nor a server
//	TestPrefect (tag real)  the real Prefect against the recording, then ours on the same server against the real one, field by field
//	TestOracle (tag real)   ours against a folder of recorded cases that lies beside the project, where there is one
//
// Made-up cases and departures:
//
//	TestPairwise (tag real)    cases in which every two ways to write two fields, options or placeholders meet, deployed by the real Prefect and by us
//	TestCommandLines (tag real) the command lines of cmd/run/testdata/options.json, run by both
//	TestBlockReferences (tag real) blocks by ID, inside blocks, and of older types
//	TestDifferences            each row of docs/differences.md is shown by something that runs both programs, and each departure of a case has a row
//	TestDepartures (tag real)  the rows that no case can show: a second deploy, another machine, a change by hand
//
// Four more (tag real) hold our own plan against a server:
//
//	TestPropertiesClassified  each property of the server's OpenAPI document has a row in properties_test.go
//	TestFieldsByHand          each of them, changed by hand on one of 300 deployments, shows in the plan exactly if the file rules it, and a deploy puts exactly that right
//	TestPairs                 made-up pairs A, B: deploy A, plan B, deploy B: the server changed by what the plan said, and the next plan is empty
//	TestPlanRequests          how many requests a plan of many unchanged deployments makes
//
// Where this project departs from Prefect on purpose, the case declares the exact differences and the row of docs/differences.md that wants them; any other difference, and a
// declared one that does not show, fails.
package conformance
